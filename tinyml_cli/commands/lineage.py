"""tinyml lineage"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def _svg(path: Path, where: str) -> None:
    checks.choice(path.suffix.lower(), (".svg",), where, "kind of picture")
    checks.drawing(path, where)


def command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A run, with its variants; all runs by default."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="SVG", callback=options.given(_svg), help="Draw the graph, too."),
    ] = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show where models come from and where they went: data, runs, variants, registry, boards.

    \b
    Examples:
      tinyml lineage
      tinyml lineage runs/lamp --out lineage.svg
      tinyml lineage --json
    """
    from tinyml_cli.lineage import lineage

    outcome = lineage.trace(run, registry, out)
    console.result(outcome, lineage.text(outcome))
