"""tinyml evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def _place(name: str, where: str) -> None:
    if name != "host":
        checks.board(name, where)


def command(
    run: options.RunArgument = None,
    data: options.DataOption = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            callback=options.one_of("split", "test", "all"),
            help="test (speakers never trained on) or all; chosen from the data by default.",
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            callback=options.given(checks.input_file),
            metavar="TSV",
            help="Groups of speakers: SPEAKER<TAB>GROUP lines.",
        ),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="PLACE",
            callback=options.given(_place),
            help="Where the int8 model runs: host, native, sim or a board.",
        ),
    ] = "host",
    path: Annotated[
        str,
        typer.Option(
            "--path",
            callback=options.one_of("path", "model", "audio"),
            help="With --on a board: model (inputs and outputs) or audio (play the clips).",
        ),
    ] = "model",
    limit: Annotated[
        int,
        typer.Option("--limit", min=1, max=1_000_000, help="With --path audio: maximum number of clips."),
    ] = 100,
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="Repeat the test in noise.")] = True,
    stream: Annotated[
        Path | None,
        typer.Option(
            "--stream",
            metavar="PATH",
            callback=options.given(checks.data),
            help="Listen to a long recording, or a folder of them.",
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
        float | None,
        typer.Option("--hours", help="Listen to a stream of this length, built from held-out recordings."),
    ] = None,
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
            help="Save the audio of a stream's false accepts.",
        ),
    ] = None,
    port: options.Port = None,
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure how good a run is: accuracy, confusion, ROC, calibration, noise, speakers, groups.

    Writes report/report.html (one file, sound included) and report/metrics.json to the run. With --stream or
    --hours it listens to long audio instead, as the firmware does, and counts false accepts per hour, missed
    words and delays: report/stream.json and report/stream_det.png.

    \b
    Examples:
      tinyml evaluate --data speech_commands/
      tinyml evaluate runs/kws-yes-no --data my_recordings/ --json
      tinyml evaluate --data speech_commands/ --groups speakers.tsv
      tinyml evaluate ad01_int8.tflite --data features/
      tinyml evaluate --on sim
      tinyml evaluate --on nano33ble --path audio --limit 40
      tinyml evaluate --hours 3 --data speech_commands/
      tinyml evaluate --hours 3 --max-fa-per-hour 0.5
      tinyml evaluate --stream kitchen.wav --truth kitchen.tsv --save-triggers false_accepts/
    """
    from tinyml_cli.evaluation.evaluate import evaluate
    from tinyml_cli.evaluation.options import options_of
    from tinyml_cli.run import Run
    from tinyml_cli.stages.adopt import open_run
    from tinyml_cli.tasks.kws import stream_summary, summary
    from tinyml_cli.tasks.kws.evaluate_stream import evaluate_stream
    from tinyml_cli.tasks.kws.stream_options import stream_options

    listening = stream_options(stream, truth, data, hours, max_fa_per_hour, save_triggers)
    settings = options_of(groups, on, path, limit, noise, port, engine, tflm)
    if listening is not None:
        listening.refuse_others(settings, split)
        outcome = evaluate_stream(Run.open(run), listening)
        console.result(outcome, stream_summary.verdict(outcome))
        return
    outcome = evaluate(open_run(run), data, split, settings)
    console.result(outcome, outcome.get("verdict") or summary.verdict(outcome))
