"""tinyml runs rename"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run in the runs folder.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Rename a run; `latest` follows it.

    \b
    Examples:
      tinyml runs rename kws-yes-no first-try
      tinyml runs rename latest best --json
    """
    from tinyml_cli import run_changes

    outcome = run_changes.rename(run, new)
    console.result(outcome, f"Renamed {outcome.renamed} to {outcome.run}.")
