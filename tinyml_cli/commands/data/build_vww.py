"""tinyml data build-vww"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step
from tinyml_cli.wording import counted


def command(
    coco: Annotated[
        Path,
        typer.Option(
            "--coco",
            callback=options.given(checks.data_folder),
            help="A folder with COCO's images and instances_*.json (2014 or 2017).",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="The output folder; must be new or empty.",
        ),
    ],
    category: Annotated[str, typer.Option("--class", help="The COCO category to look for.")] = "person",
    size: Annotated[
        int, typer.Option("--size", min=32, max=640, help="Short side of the output images, in pixels.")
    ] = 128,
    square: Annotated[
        bool,
        typer.Option("--square", help="Judge and keep only the centred square, which is what a model sees."),
    ] = False,
    minival: Annotated[
        Path | None,
        typer.Option(
            "--minival",
            callback=options.given(checks.input_file),
            metavar="FILE",
            help="Ids of the test images, one per line; split by a hash of the id by default.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Build a Visual Wake Words dataset from COCO: images with and without a box over 0.5 % of their area.

    \b
    Examples:
      tinyml data build-vww --coco coco/ --out vww/
      tinyml data build-vww --coco coco/ --out dogs/ --class dog --square
      tinyml data build-vww --coco coco2014/ --out vww/ --minival mscoco_minival_ids.txt
    """
    from tinyml_cli.images.build_vww import VwwSettings, build_vww, read_minival

    ids = None if minival is None else read_minival(minival)
    outcome = build_vww(coco, out, VwwSettings(category, size, square, ids))
    for reason in outcome.skipped:
        console.warn(reason)
    rows = [[split, label, n] for split, counts in outcome.counts.items() for label, n in counts.items()]
    console.table(f"Rule: {outcome.rule}", ["Split", "Class", "Images"], rows)
    console.result(
        outcome,
        f"{counted(outcome.n, 'image')} in {out}. Next: "
        f"{next_step('train', 'vww', '--data', out, '--classes', f'{category},none')}",
    )
