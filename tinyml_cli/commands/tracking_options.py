"""The option of commands that can be tracked."""

from __future__ import annotations

from typing import Annotated

import typer


def _track(context: typer.Context, value: bool) -> bool:
    if value:
        from tinyml_cli.tracking import seam

        seam.want(lambda: context.params)
    return value


Track = Annotated[
    bool,
    typer.Option(
        "--track", callback=_track, help="Keep parameters, figures and files in MLflow; see docs/tracking.md."
    ),
]
