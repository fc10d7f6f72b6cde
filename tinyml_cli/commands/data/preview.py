"""tinyml data preview"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, training_options
from tinyml_cli.console import console


def command(
    data: Annotated[
        Path,
        typer.Argument(callback=options.given(checks.data_folder), help="A folder of files per label."),
    ],
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe", metavar="RECIPE", help="A YAML file, or a name from `tinyml recipes`; by the data."
        ),
    ] = None,
    items: Annotated[int, typer.Option("--items", min=1, max=16, help="How many items, at most.")] = 4,
    variations: Annotated[int, typer.Option("--variations", min=1, max=12, help="Of each item.")] = 7,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.picture),
            help="The picture; ./FOLDER-preview.png by default.",
        ),
    ] = None,
    set_: training_options.Set = None,
    seed: training_options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw what training makes of your data: items as they are, and random variations of each.

    Images, the features of sound, strokes and motion; --set changes how much they are varied.

    \b
    Examples:
      tinyml data preview photos/
      tinyml data preview recordings/ --set augmentation.snr_db=[0,5] --variations 10
      tinyml data preview strokes/ --recipe wand --out strokes.png
    """
    from tinyml_cli.datasets.preview import preview, sentence

    outcome = preview(data, recipe, set_ or [], seed, items, variations, out)
    console.result(outcome, sentence(outcome))
