"""tinyml evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    data: options.DataOption = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="test (speakers never trained on) or all; chosen from the data."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups", metavar="TSV", help="Which group a speaker belongs to: SPEAKER<TAB>GROUP lines."
        ),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            "--on", metavar="PLACE", help="host, native, sim or a board: where the int8 model runs."
        ),
    ] = "host",
    path: Annotated[
        str,
        typer.Option(
            "--path", help="With --on a board: model (inputs and outputs) or audio (play the clips)."
        ),
    ] = "model",
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="At most so many clips are played with --path audio.")
    ] = 100,
    noise: Annotated[
        bool, typer.Option("--noise/--no-noise", help="Whether to repeat the test in noise.")
    ] = True,
    port: options.Port = None,
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure how good a run is: accuracy, confusion, ROC, calibration, noise, speakers, groups.

    Writes report/report.html (one file, with sound) and report/metrics.json into the run.

    \b
    Examples:
      tinyml evaluate --data speech_commands/
      tinyml evaluate runs/kws-yes-no --data my_recordings/ --json
      tinyml evaluate --data speech_commands/ --groups speakers.tsv
      tinyml evaluate --on sim
      tinyml evaluate --on nano33ble --path audio --limit 40
    """
    from tinyml_cli.evaluation.evaluate import evaluate
    from tinyml_cli.evaluation.options import options_of
    from tinyml_cli.evaluation.summary import verdict
    from tinyml_cli.run import Run

    settings = options_of(groups, on, path, limit, noise, port, engine, tflm)
    outcome = evaluate(Run.open(run), data, split, settings)
    console.result(outcome, verdict(outcome))
