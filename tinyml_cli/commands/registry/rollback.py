"""tinyml registry rollback"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The model; the only one by default.")
    ] = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make the champion before the last one the champion again.

    \b
    Examples:
      tinyml registry rollback lamp
      tinyml registry rollback --json
    """
    from tinyml_cli.model_registry.promote import roll_back
    from tinyml_cli.model_registry.store import Store

    outcome = roll_back(Store.open(registry), name)
    text = f"{outcome.model}@{outcome.number} is the champion again, instead of {outcome.champion_before}."
    console.result(outcome, text)
