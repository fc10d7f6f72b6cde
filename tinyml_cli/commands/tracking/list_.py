"""tinyml tracking list"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """List the records that wait for MLflow, and why.

    \b
    Examples:
      tinyml tracking
      tinyml tracking list --json
    """
    from tinyml_cli.tracking import waiting

    outcome = waiting.listed()
    waiting.show(outcome)
    console.result(outcome, waiting.sentence(outcome))
