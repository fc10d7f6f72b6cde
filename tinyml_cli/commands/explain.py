"""tinyml explain"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.commands.run_and_file import run_and_file
from tinyml_cli.console import console


def command(
    run_and_clip: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] CLIP",
            help="A run (the latest by default), and a recording; without --at of at most a minute.",
        ),
    ],
    at: Annotated[
        float | None,
        typer.Option(
            "--at",
            min=0,
            metavar="SECONDS",
            help="A place in a long recording: explain the seconds around it, heard after all before it.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.picture),
            help="The picture; report/explain-CLIP.png in the run by default.",
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show why a recording triggers or not: a picture of the sound, features, scores over time and threshold.

    The recording runs through the firmware's front end, int8 model and recogniser on this computer. For
    anomaly detection: which channels, bands and times contributed to the score.

    \b
    Examples:
      tinyml explain missed.wav
      tinyml explain runs/kws-yes-no missed.wav --out missed.png
      tinyml explain kitchen.flac --at 1384.2
      tinyml explain missed.wav --json
      tinyml explain runs/anomaly-autoencoder pump.csv
    """
    from tinyml_cli import registry
    from tinyml_cli.run import Run

    run, clip = run_and_file("explain", run_and_clip, "CLIP")
    opened = Run.open(run)
    outcome = registry.task(opened.manifest().task).explain(clip, opened, out, at)
    console.result(outcome, f"{outcome.why}\nPicture: {outcome.picture}")
