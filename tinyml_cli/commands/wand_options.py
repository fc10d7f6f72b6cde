"""Options of the commands that train wands, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given, one_of, word_list

Labels = Annotated[str | None, typer.Option("--labels", help="Gestures to tell apart, such as 0,1,2.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="Recordings: stroke JSON, or motion as CSV or Edge Impulse JSON; simulated by default.",
    ),
]
_INPUTS = ("stroke", "imu")
Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        callback=one_of("input", *_INPUTS),
        autocompletion=lambda: _INPUTS,
        help="stroke: the wand's path as a picture; imu: raw motion.",
    ),
]


def values(labels: Labels = None, data: Data = None, kind: Input = None) -> dict[str, Any]:
    """Options as values of the recipe; None where not given."""
    return {"labels": word_list(labels, "--labels"), "data": data, "input": kind}
