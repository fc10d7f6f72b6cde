"""tinyml flash"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import board_options, emulated_options, options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    board: board_options.Board = "sim",
    port: Annotated[
        str | None,
        typer.Option("--port", help="The board's serial port, if several boards are plugged in."),
    ] = None,
    emulated: emulated_options.Emulated = False,
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    app: board_options.App = None,
    other: board_options.With = None,
    runs: board_options.Runs = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Build the firmware if needed, install it on the board and check that the model answers.

    A real board is found by its USB ids; other serial ports are never opened.

    \b
    Examples:
      tinyml flash --board sim
      tinyml flash --board nano33ble
      tinyml flash --board nano33ble --emulated
      tinyml flash runs/kws-yes-no --board nano33ble --port /dev/ttyACM1
      tinyml flash runs/kws-yes-no --board native --json
      tinyml flash runs/kws-yes-no --with runs/kws-marvin --board nano33ble
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.build.tenants import monitor_step, open_runs
    from tinyml_cli.flash.flash import flash
    from tinyml_cli.teaching.firmware import learner

    first, neighbour = open_runs(run, runs or [], other)
    around = emulated_options.surroundings(emulated)
    target = learner(
        first, build_target(board, engine, tflm, app=app, port=port, second=neighbour, emulated=around)
    )
    outcome = flash(first, target)
    what = f"a model of {board}" if emulated else board
    where = f"{what} on {outcome.port}" if outcome.port is not None else board
    console.result(
        outcome,
        f"{where} runs model {outcome.model} ({outcome.engine}). Next: {monitor_step(first, target)}",
    )
