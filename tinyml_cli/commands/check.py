"""tinyml check"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE

Budgets = Annotated[
    Path,
    typer.Option(
        "--budgets",
        metavar="FILE",
        help="The budgets; budgets.yaml in this folder by default.",
    ),
]


def command(
    run: options.RunArgument = None,
    budgets: Budgets = Path("budgets.yaml"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check a run against all budgets and gates of its project; exits with 1 and the reason if one fails.

    Trains, builds and measures nothing: it reads what the stages left in the run, and a figure that is
    missing or belongs to an older model fails as well. For CI and pre-commit.

    \b
    Examples:
      tinyml check
      tinyml check runs/hello --budgets budgets.yaml
      tinyml check --json
    """
    from tinyml_cli.project.check import check, sentence, show
    from tinyml_cli.run import Run

    outcome = check(Run.open(run), budgets)
    show(outcome.gates, outcome.run)
    console.result(outcome, sentence(outcome))
    if not outcome.passed:
        raise typer.Exit(EXIT_FAILURE)
