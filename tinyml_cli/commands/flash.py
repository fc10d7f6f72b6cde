"""tinyml flash"""

from __future__ import annotations

from pathlib import Path
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
    update_key: board_options.UpdateKey = None,
    release: board_options.Release = None,
    model_only: Annotated[
        bool,
        typer.Option("--model-only", help="Send the model alone, signed, to firmware that takes updates."),
    ] = False,
    firmware: Annotated[
        str | None,
        typer.Option(
            "--firmware",
            metavar="RUN",
            help="The run whose firmware a virtual board runs, with --model-only.",
        ),
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option("--update", metavar="FILE", help="Send this signed update; no key is needed."),
    ] = None,
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
      tinyml flash --board nano33ble --update-key ~/keys/doorbell.pem
      tinyml flash --board nano33ble --update-key ~/keys/doorbell.pem --model-only
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.build.tenants import monitor_step, open_runs
    from tinyml_cli.flash.flash import flash
    from tinyml_cli.teaching.firmware import learner
    from tinyml_cli.updates import model_only as models
    from tinyml_cli.updates.keys import slot_options

    first, neighbour = open_runs(run, runs or [], other)
    around = emulated_options.surroundings(emulated)
    slots = None if model_only else slot_options(update_key, release)
    target = build_target(
        board, engine, tflm, app=app, port=port, second=neighbour, slots=slots, emulated=around
    )
    target = learner(first, target)
    order = models.ordered(model_only, update_key, release, update, firmware)
    if order is not None:
        sent = models.flash_model(first, target, order)
        console.result(sent, models.text(sent, order.firmware or first, target))
        return
    outcome = flash(first, target)
    what = f"a model of {board}" if emulated else board
    where = f"{what} on {outcome.port}" if outcome.port is not None else board
    console.result(
        outcome,
        f"{where} runs model {outcome.model} ({outcome.engine}). Next: {monitor_step(first, target)}",
    )
