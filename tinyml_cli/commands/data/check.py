"""tinyml data check"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, training_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE
from tinyml_cli.wording import counted


def command(
    data: Annotated[
        Path,
        typer.Argument(
            callback=options.given(checks.data),
            help="A data folder, one folder of files per label; or one file with a time series.",
        ),
    ],
    fix: Annotated[
        bool, typer.Option("--fix", help="Move bad files into FOLDER-quarantine; nothing is deleted.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Move back what --fix moved.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture",
            callback=options.given(checks.picture),
            help="The picture; ./FOLDER-check.png by default.",
        ),
    ] = None,
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, max=48_000, help="The sample rate you train at, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[
        int, typer.Option("--clip-ms", min=200, max=3000, help="The clip length you train on, in ms.")
    ] = 1000,
    kind: Annotated[
        str | None, typer.Option("--kind", help="sound, images or motion; by default the kind of most files.")
    ] = None,
    set_: training_options.SetData = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check data before training: counts, damage, duplicates, leaks between speakers or splits.

    Sound: clipping, silence, length, clips unlike their word, words that sound alike. Images: blur,
    exposure, near-duplicates. Motion and other series: rate, gaps, clipping, stillness, near-duplicates.

    Exits with 1 while the folder contains bad files.

    \b
    Examples:
      tinyml data check recordings/
      tinyml data check speech_commands/ --fix
      tinyml data check speech_commands/ --undo
      tinyml data check motion/ --set data.units.gyro=rad/s
      tinyml data check pump.csv
      tinyml data check recordings/ --json
    """
    from tinyml_cli import recipes
    from tinyml_cli.datasets import quarantine
    from tinyml_cli.datasets.check_command import check_folder, show, verdict
    from tinyml_cli.datasets.checks import CheckSettings

    if undo:
        back = quarantine.undo(data)
        for name in back.kept:
            console.warn(f"`{name}` exists already; the moved file stays in quarantine")
        console.result(back, f"Restored {counted(back.restored, 'file')}.")
        return
    settings = CheckSettings(sample_rate, clip_ms, recipes.series_options(set_ or []))
    outcome = check_folder(data, settings, fix, picture, kind)
    show(outcome)
    console.result(outcome, verdict(outcome))
    if not outcome.ok:
        raise typer.Exit(EXIT_FAILURE)
