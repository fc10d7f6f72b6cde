"""tinyml registry list"""

from __future__ import annotations

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def command(
    registry: registry_options.Registry = None, json: options.Json = False, quiet: options.Quiet = False
) -> None:
    """List the models, their champions and challengers.

    \b
    Examples:
      tinyml registry list
      tinyml registry list --json
    """
    from tinyml_cli.model_registry import listing
    from tinyml_cli.model_registry.store import Store

    found = listing.models(Store.open(registry))
    listing.show_models(found)
    console.result(found)
