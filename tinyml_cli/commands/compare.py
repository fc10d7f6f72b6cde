"""tinyml compare"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, options
from tinyml_cli.console import console


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|MODEL.tflite]...",
            help="Runs, with all their flatbuffers and variants, and single files; the latest run by "
            "default.",
        ),
    ] = None,
    data: options.AnyDataOption = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            callback=options.one_of("split", "test", "all"),
            help="test or all, as in `evaluate`; chosen from the data by default.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="NAME", help="The model to compare against; the first one by default."
        ),
    ] = None,
    profile: Annotated[
        bool,
        typer.Option("--profile/--no-profile", help="Build firmware and count instructions on sim."),
    ] = True,
    engine: board_options.Engine = None,
    html: Annotated[bool, typer.Option("--html", help="Also write compare.html.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="Output folder; report/ of the first run by default.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare models side by side: quality, bytes, flash, RAM, instructions and the Pareto front.

    Each difference from the reference is tested with McNemar's exact test on the same items: "within
    chance" means that the test set cannot tell the two apart.

    \b
    Examples:
      tinyml compare
      tinyml compare runs/kws-yes-no runs/kws-small --html
      tinyml compare runs/kws-yes-no --against int8 --json
      tinyml compare runs/kws-yes-no other.tflite --data speech_commands/ --no-profile
    """
    from tinyml_cli.comparison import text
    from tinyml_cli.comparison.compare import CompareOptions, compare

    chosen = CompareOptions(data, split, against, profile, out, html, engine)
    document = compare(models or [], chosen)
    text.show(document)
    console.result(document, text.sentence(document))
