"""tinyml tracking drop"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Remove the records that wait, after asking, such as those for a server that will not come back.

    Runs keep all that is theirs. Records of commands that still run stay.

    \b
    Examples:
      tinyml tracking drop
      tinyml tracking drop --yes --json
    """
    from tinyml_cli.tracking import waiting

    outcome = waiting.drop(yes)
    console.result(outcome, waiting.sentence(outcome))
