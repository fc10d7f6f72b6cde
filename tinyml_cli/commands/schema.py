"""tinyml schema"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]",
            help="A command, or `error`: what all print when they fail; lists them if omitted.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the JSON Schema of what a command prints with --json.

    \b
    Examples:
      tinyml schema
      tinyml schema convert
      tinyml schema runs show
      tinyml schema error --json
    """
    from tinyml_cli import outcomes
    from tinyml_cli.outcomes.housekeeping import SchemaList

    if not name:
        known = outcomes.commands()
        console.result(SchemaList(commands=known), "\n".join(known))
        return
    document = outcomes.schema(" ".join(name))
    console.result(document, outcomes.as_text(document))
