"""Options and arguments that the commands of the registry share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Registry = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="DIR",
        help="The registry's folder; $TINYML_REGISTRY or registry/ by default.",
    ),
]
Version = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME@VERSION]",
        help="A model alone, or with a number, champion or challenger; the only model by default.",
    ),
]
