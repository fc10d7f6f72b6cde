"""tinyml data import"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, training_options
from tinyml_cli.console import console


def command(
    folder: Annotated[
        Path,
        typer.Argument(
            callback=options.given(checks.data_folder), help="A folder of recordings made with another tool."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="The output folder; existing files are never changed.",
        ),
    ],
    speaker: Annotated[
        str, typer.Option("--speaker", help="The speaker, for files that do not name one.")
    ] = "",
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, max=48_000, help="Sample rate of the clips, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[
        int, typer.Option("--clip-ms", min=200, max=3000, help="Length of a clip, in ms.")
    ] = 1000,
    set_: training_options.SetData = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Import recordings from Open Speech Recording, Edge Impulse, phones and sketches; list what was skipped.

    Words longer than a clip are cut to the loudest second; motion becomes CSV in g and degrees per second.

    \b
    Examples:
      tinyml data import downloads/ --speaker anna --out recordings/
      tinyml data import edge-impulse-export/ --out recordings/
      tinyml data import phone/ --out motion/ --set data.units.gyro=rad/s
      tinyml data import edge-impulse-export/ --out recordings/ --json
    """
    from tinyml_cli import recipes
    from tinyml_cli.datasets import import_files

    reading = recipes.series_options(set_ or [])
    clip_samples = clip_ms * sample_rate // 1000
    outcome = import_files.import_folder(folder, out, sample_rate, clip_samples, speaker, reading)
    import_files.show(outcome)
    console.result(outcome, import_files.text(outcome))
