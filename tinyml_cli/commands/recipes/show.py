"""tinyml recipes show"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A name from `tinyml recipes`."),
    ],
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print a recipe, comments included.

    \b
    Examples:
      tinyml recipes show kws_small
      tinyml recipes show wand > mine.yaml
      tinyml recipes show wand --json
    """
    from tinyml_cli.recipes import catalogue

    recipe = catalogue.show(name)
    console.result(recipe, recipe.text.rstrip("\n"))
