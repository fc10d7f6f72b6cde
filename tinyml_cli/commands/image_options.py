"""Options of the commands that train on images, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given, word_list
from tinyml_cli.models.architectures import IMAGES

Classes = Annotated[
    str | None,
    typer.Option("--classes", help="Folders to tell apart, such as person,none; none collects all others."),
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
    int | None,
    typer.Option("--size", min=16, max=256, help="Side length of the model's square input, in pixels."),
]
Gray = Annotated[bool | None, typer.Option("--gray/--rgb", help="Grey or colour input.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        autocompletion=lambda: IMAGES,
        help="mobilenet_v1, mobilenet_v2 or micro (fits alongside another model).",
    ),
]
Alpha = Annotated[
    float | None,
    typer.Option("--alpha", min=0.05, max=4.0, help="Width multiplier: scales the number of filters."),
]
Backbone = Annotated[
    str | None,
    typer.Option(
        "--backbone", help="Start from a .keras or .h5 file, or from imagenet: first frozen, then fine-tuned."
    ),
]


def values(
    classes: Classes = None,
    data: Data = None,
    size: Size = None,
    gray: Gray = None,
    model: Model = None,
    alpha: Alpha = None,
    backbone: Backbone = None,
) -> dict[str, Any]:
    """Keys of the recipe -> values of the options; None where not given."""
    from tinyml_cli.recipes.vww import values_of

    return {**values_of(word_list(classes, "--classes"), size, gray, model, alpha, backbone), "data": data}
