"""tinyml tracking send"""

from __future__ import annotations

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """Send the records that wait to the MLflow that each was meant for; exits with 1 where some still wait.

    \b
    Examples:
      tinyml tracking send
      tinyml tracking send --json
    """
    from tinyml_cli.tracking import waiting

    outcome = waiting.send()
    waiting.show(outcome)
    console.result(outcome, waiting.sentence(outcome))
    if outcome.waiting:
        raise typer.Exit(EXIT_FAILURE)
