"""Options of the lessons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options

Out = Annotated[Path, typer.Option("--out", callback=options.given(checks.picture), help="The picture.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=options.MOST_SEED, help="Random seed.")]
Points = Annotated[
    str | None,
    typer.Option("--points", metavar="X,Y;X,Y", help="Points of your own; six of y = 3x + 1 by default."),
]
