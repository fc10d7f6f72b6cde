"""Options of the commands that train: data, recipe, seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options

Words = Annotated[str | None, typer.Option("--words", help="Words to listen for, comma-separated.")]
AddRecordings = Annotated[
    Path | None,
    typer.Option(
        "--add-recordings",
        callback=options.given(checks.data_folder),
        metavar="DIR",
        help="Mix in your own recordings, even a single clip: one folder per word.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="RECIPE",
        help="A recipe: a YAML file, or a name from `tinyml recipes`; the task's own by default.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the recipe; repeatable."),
]
SetData = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="How to read time series, such as data.units.gyro=rad/s; repeatable.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=options.MOST_SEED, help="Random seed.")]
Resume = Annotated[bool, typer.Option("--resume", help="Resume an interrupted training.")]


def no_options() -> dict[str, Any]:
    """Of a task that needs no data."""
    return {"data": None}
