"""tinyml recipes copy"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A name from `tinyml recipes`."),
    ],
    to: Annotated[
        Path | None,
        typer.Argument(metavar="[TO]", help="A new file, or a folder; NAME.yaml in this folder by default."),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Copy a recipe so you can edit it. Existing files are never overwritten.

    \b
    Examples:
      tinyml recipes copy kws_small
      tinyml recipes copy kws_small mine.yaml
      tinyml recipes copy wand recipes/ --json
    """
    from tinyml_cli.next_step import next_step
    from tinyml_cli.recipes import catalogue

    copied = catalogue.copy(name, to)
    step = next_step("train", copied.task, "--config", Path(copied.copy_))
    console.result(copied, f"Copied to {copied.copy_}. Next: {step}")
