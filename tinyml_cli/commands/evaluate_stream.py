"""tinyml evaluate-stream"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, tracking_options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    stream: Annotated[
        Path | None,
        typer.Option(
            "--stream",
            metavar="PATH",
            callback=options.given(checks.data),
            help="A long recording, or a folder of them; by default, a stream is built from held-out "
            "recordings.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth",
            metavar="TSV",
            callback=options.given(checks.input_file),
            help="With --stream: START<TAB>END<TAB>WORD lines, in seconds.",
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", help="Length of the built stream; 1 by default.")
    ] = None,
    data: options.DataOption = None,
    max_fa_per_hour: Annotated[
        float | None,
        typer.Option(
            "--max-fa-per-hour",
            metavar="RATE",
            help="Choose threshold, window and suppression for this rate of false accepts, on validation "
            "streams.",
        ),
    ] = None,
    save_triggers: Annotated[
        Path | None,
        typer.Option(
            "--save-triggers",
            metavar="DIR",
            callback=options.given(checks.output_folder),
            help="Save the audio of false accepts.",
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Listen to hours of audio as the firmware does, and count false accepts, missed words and delays.

    Writes report/stream.json and report/stream_det.png to the run.

    \b
    Examples:
      tinyml evaluate-stream --hours 3
      tinyml evaluate-stream --hours 3 --data speech_commands/ --json
      tinyml evaluate-stream runs/kws-yes-no --hours 3 --max-fa-per-hour 0.5
      tinyml evaluate-stream --stream kitchen.wav --truth kitchen.tsv --save-triggers false_accepts/
    """
    from tinyml_cli.run import Run
    from tinyml_cli.tasks.kws import stream_summary
    from tinyml_cli.tasks.kws.evaluate_stream import evaluate_stream
    from tinyml_cli.tasks.kws.stream_options import stream_options

    wanted = stream_options(stream, truth, data, hours, max_fa_per_hour, save_triggers)
    outcome = evaluate_stream(Run.open(run), wanted)
    console.result(outcome, stream_summary.verdict(outcome))
