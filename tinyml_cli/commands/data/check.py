"""tinyml data check"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    folder: Annotated[
        Path,
        typer.Argument(
            callback=options.given(checks.data_folder),
            help="A data folder: a folder per label, files inside.",
        ),
    ],
    fix: Annotated[
        bool, typer.Option("--fix", help="Move bad files into FOLDER-quarantine; nothing is deleted.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what --fix moved away.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture",
            callback=options.given(checks.output_file),
            help="Where to draw; ./FOLDER-check.png by default.",
        ),
    ] = None,
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, max=48_000, help="The rate you train at, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[
        int, typer.Option("--clip-ms", min=200, max=3000, help="The clip length you train on, in ms.")
    ] = 1000,
    kind: Annotated[
        str | None, typer.Option("--kind", help="sound, images or motion; by default what most files are.")
    ] = None,
    set_: options.SetData = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check data before training: counts, damage, duplicates, leaks between people or splits.

    Sound: clipping, silence, length. Images: blur, exposure, near-duplicates. Motion and other series:
    rate, gaps, clipping, stillness, near-duplicates.

    Exit code 1 while bad files lie in the folder.

    \b
    Examples:
      tinyml data check recordings/
      tinyml data check speech_commands/ --fix
      tinyml data check speech_commands/ --undo
      tinyml data check motion/ --set data.units.gyro=rad/s
      tinyml data check recordings/ --json
    """
    from tinyml_cli import recipes
    from tinyml_cli.data import quarantine
    from tinyml_cli.data.check_command import check_folder, show, verdict
    from tinyml_cli.data.checks import Settings

    if undo:
        restored, kept = quarantine.undo(folder)
        for name in kept:
            console.warn(f"`{name}` exists again; the moved file stays in the quarantine")
        console.result(
            {"folder": str(folder), "restored": restored, "kept": kept}, f"Put back {restored:,} files."
        )
        return
    settings = Settings(sample_rate, clip_ms, recipes.series_options(set_ or []))
    document = check_folder(folder, settings, fix, picture, kind)
    show(document)
    console.result(document, verdict(document))
    if not document["ok"]:
        raise typer.Exit(EXIT_FAILURE)
