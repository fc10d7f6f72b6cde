"""tinyml evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, emulated_options, options, tracking_options
from tinyml_cli.console import console

_HOST = "host"


def _place(name: str, where: str) -> None:
    if name != _HOST:
        checks.board(name, where)


def command(
    run: options.RunArgument = None,
    data: options.AnyDataOption = None,
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
            metavar="CSV",
            help="Groups of speakers: a line speaker,group, then one for each; see tinyml fairness.",
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
    ] = _HOST,
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
    port: board_options.Port = None,
    emulated: emulated_options.Emulated = False,
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    accept_partial: options.AcceptPartial = False,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure how good a run is: accuracy, confusion, ROC, calibration, noise, speakers, groups.

    Writes report/report.html (one file, sound included) and report/metrics.json to the run. For hours of
    audio, see tinyml evaluate-stream.

    \b
    Examples:
      tinyml evaluate --data speech_commands/
      tinyml evaluate runs/kws-yes-no --data my_recordings/ --json
      tinyml evaluate --data speech_commands/ --groups speakers.tsv
      tinyml evaluate ad01_int8.tflite --data features/
      tinyml evaluate --on sim
      tinyml evaluate --on nano33ble --path audio --limit 40
      tinyml evaluate --on nano33ble --emulated
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.evaluation.evaluate import evaluate, sentence
    from tinyml_cli.evaluation.options import options_of
    from tinyml_cli.stages.adopt import open_run

    place = None if on == _HOST else on
    around = emulated_options.surroundings(emulated)
    emulated_options.require_board(emulated, place, "--on")
    target = None if place is None else build_target(place, engine, tflm, port=port, emulated=around)
    settings = options_of(groups, target, path, limit, noise)
    outcome = evaluate(open_run(run), data, split, settings)
    console.result(outcome, sentence(outcome))
