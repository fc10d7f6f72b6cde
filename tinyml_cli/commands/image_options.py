"""Options of the commands that train on images, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given

Classes = Annotated[
    str | None,
    typer.Option("--classes", help="Folders to tell apart, such as person,none; none takes all others."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data_folder),
        help="A folder of images: a folder per class, any image format.",
    ),
]
Size = Annotated[
    int | None, typer.Option("--size", min=16, max=256, help="Pixels along each side of the model's input.")
]
Gray = Annotated[bool | None, typer.Option("--gray/--rgb", help="Whether the model sees grey or colours.")]
Model = Annotated[
    str | None,
    typer.Option("--model", help="mobilenet_v1, mobilenet_v2 or micro (fits beside another model)."),
]
Alpha = Annotated[
    float | None, typer.Option("--alpha", min=0.05, max=4.0, help="Factor on the model's number of filters.")
]
Backbone = Annotated[
    str | None,
    typer.Option("--backbone", help="Start from a .keras or .h5 file, or from imagenet: frozen, then tuned."),
]
