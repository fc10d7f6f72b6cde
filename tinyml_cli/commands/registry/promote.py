"""tinyml registry promote"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    version: registry_options.Version = None,
    budgets: Annotated[
        Path | None,
        typer.Option(
            "--budgets", metavar="FILE", help="The budgets; budgets.yaml in this folder, if there is one."
        ),
    ] = None,
    override: Annotated[
        str | None,
        typer.Option("--override", metavar="WHY", help="Promote although a gate fails; the reason is kept."),
    ] = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a version the champion, if it passes every gate; a name alone means the challenger.

    The gates are those of `tinyml check`, and that it is not worse than the champion: on the same test items
    by McNemar's test or a bootstrap, and in the gap between groups of people. Exits with 1 where one fails.

    \b
    Examples:
      tinyml registry promote lamp
      tinyml registry promote lamp@3 --budgets budgets.yaml --json
      tinyml registry promote lamp@3 --override "the champion crashes in the cold"
    """
    from tinyml_cli.model_registry.promote import promote, sentence
    from tinyml_cli.model_registry.store import Store
    from tinyml_cli.project.check import show

    store = Store.open(registry)
    outcome = promote(store, version, budgets, override)
    if outcome.gates:
        show(outcome.gates, f"{outcome.model}@{outcome.number}")
    console.result(outcome, sentence(store, outcome))
    if not outcome.promoted:
        raise typer.Exit(EXIT_FAILURE)
