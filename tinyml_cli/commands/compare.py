"""tinyml compare"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|MODEL.tflite]...",
            help="Runs with all their flatbuffers and variants, and lone files; the latest run by default.",
        ),
    ] = None,
    data: options.DataOption = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            callback=options.one_of("split", "test", "all"),
            help="test or all, as of `evaluate`; chosen from the data.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="NAME", help="The model to test the others against; the first one."
        ),
    ] = None,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile/--no-profile", help="Whether to build firmware and count instructions on sim."
        ),
    ] = True,
    engine: options.Engine = None,
    html: Annotated[bool, typer.Option("--html", help="Write compare.html too.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="Folder of the outcome; report/ of the first run by default.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Put models side by side: quality, bytes, flash, RAM, instructions, and who is on the Pareto front.

    Every difference from the reference is tested with McNemar's exact test on the same items: "within
    chance" means that the test set cannot tell the two apart.

    \b
    Examples:
      tinyml compare
      tinyml compare runs/kws-yes-no runs/kws-small --html
      tinyml compare runs/kws-yes-no --against int8 --json
      tinyml compare runs/kws-yes-no other.tflite --data speech_commands/ --no-profile
    """
    from tinyml_cli.comparison import text
    from tinyml_cli.comparison.compare import Options, compare

    chosen = Options(data, split, against, profile, out, html, engine)
    document = compare(models or [], chosen)
    text.show(document)
    console.result(document, text.sentence(document))
