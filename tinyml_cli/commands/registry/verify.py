"""tinyml registry verify"""

from __future__ import annotations

import typer

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    registry: registry_options.Registry = None, json: options.Json = False, quiet: options.Quiet = False
) -> None:
    """Read every byte of the registry, and name what is missing or was changed; exits with 1 on a fault.

    \b
    Examples:
      tinyml registry verify
      tinyml registry verify --registry /mnt/models --json
    """
    from tinyml_cli.model_registry import listing
    from tinyml_cli.model_registry.store import Store

    outcome = listing.verify(Store.open(registry))
    console.result(outcome, listing.verified_text(outcome))
    if not outcome.ok:
        raise typer.Exit(EXIT_FAILURE)
