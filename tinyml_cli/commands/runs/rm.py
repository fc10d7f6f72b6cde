"""tinyml runs rm"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs in the runs folder.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Remove runs, after asking. Runs in use and anything outside the runs folder are never touched.

    \b
    Examples:
      tinyml runs rm first-try
      tinyml runs rm first-try second-try --yes
      tinyml runs rm first-try --yes --json
    """
    from tinyml_cli import run_changes, run_list

    outcome = run_changes.remove(runs, yes)
    removed = ", ".join(outcome.removed)
    text = f"Removed {removed}, {run_list.size_text(outcome.bytes)}." if removed else "Nothing was removed."
    console.result(outcome, text)
