"""tinyml registry show"""

from __future__ import annotations

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def command(
    version: registry_options.Version = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show a version: where it comes from, what was measured, and what was done to the model.

    \b
    Examples:
      tinyml registry show
      tinyml registry show lamp@champion
      tinyml registry show lamp@3 --json
    """
    from tinyml_cli.model_registry import listing
    from tinyml_cli.model_registry.store import Store
    from tinyml_cli.model_registry.versions import find

    store = Store.open(registry)
    outcome = listing.version(store, *find(store, version))
    console.result(outcome, listing.version_text(outcome))
