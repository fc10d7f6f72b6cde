"""tinyml bench"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, options
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

_MODES = ("accuracy", "performance")
_BENCHMARKS = ("kws", "vww", "ic", "ad", "model")


def command(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL|RUN]", help="A .tflite file or a run; the latest run by default."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            callback=options.given(checks.data),
            help="Labelled inputs: y_labels.csv, or a folder per class.",
        ),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            "--benchmark",
            callback=options.one_of("benchmark", *_BENCHMARKS),
            help="kws, vww, ic, ad or model (raw int8); detected from the tensor shapes.",
        ),
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", callback=options.one_of("mode", *_MODES), help="accuracy or performance.")
    ] = "accuracy",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=10_000_000, help="Maximum number of examples.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Expose the board as a serial port for MLPerf Tiny's own runner.")
    ] = False,
    board: board_options.Board = "sim",
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    port: Annotated[
        str | None, typer.Option("--port", help="A board that already runs the bench application.")
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure accuracy and performance of an int8 model on a board, as MLPerf Tiny does.

    \b
    Examples:
      tinyml bench kws_ref_model.tflite --data datasets/kws01
      tinyml bench vww.tflite --data datasets --board native --mode performance --json
      tinyml bench kws_ref_model.tflite --serve
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.stages.adopt import open_run

    run = open_run(model)
    target = build_target(board, engine, tflm, port=port).bench(benchmark)
    if serve:
        from tinyml_cli.bench.serving import serve_port

        serve_port(run, target)
        return
    if data is None:
        raise TinymlError("--data is missing", "--data", "tinyml bench MODEL --data DIR; see docs/bench.md.")
    from tinyml_cli.bench.bench import bench, sentence

    outcome = bench(run, data, target, mode, limit)  # type: ignore[arg-type]
    console.result(outcome, sentence(outcome))
