"""tinyml monitor"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, emulated_options, options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    board: board_options.Board = "sim",
    port: Annotated[str | None, typer.Option("--port", help="A serial port or pyserial URL.")] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            callback=options.given(checks.data),
            help="A recording, an image, or a folder per label, to feed to the board.",
        ),
    ] = None,
    microphone: board_options.Microphone = False,
    camera: board_options.Camera = False,
    device: board_options.Device = None,
    emulated: emulated_options.Emulated = False,
    sound: emulated_options.Sound = None,
    motion: emulated_options.Motion = None,
    duration: board_options.Duration = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            callback=options.given(checks.output_file),
            help="Append every event to this file, one JSON object per line.",
        ),
    ] = None,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="time or detections; repeatable.")
    ] = None,
    trace: board_options.Trace = None,
    save_triggers: Annotated[
        Path | None,
        typer.Option(
            "--save-triggers",
            metavar="DIR",
            callback=options.given(checks.output_folder),
            help="Save the audio that triggered the board.",
        ),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(
            "--png",
            metavar="PATH",
            callback=options.given(checks.output),
            help="A folder for camera frames, or a file for a picture of scores.",
        ),
    ] = None,
    calibrate: board_options.Calibrate = None,
    other: board_options.With = None,
    frames: board_options.Frames = None,
    app: board_options.App = None,
    teach: board_options.Teach = None,
    train: board_options.Train = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Watch what the board detects; with --replay, feed recordings through its own code.

    A terminal also shows the latest scores and the board's state.

    \b
    Examples:
      tinyml monitor --board sim --replay recordings/ --json
      tinyml monitor --board native --microphone
      tinyml monitor --board sim --replay evening.wav --save-triggers false_accepts/
      tinyml monitor runs/vww-person --board sim --replay photos/ --png frames/
      tinyml monitor runs/kws-yes-no --with runs/vww-person --replay yes/ --frames photos/
      tinyml monitor runs/anomaly-autoencoder --board nano33ble --calibrate 120
      tinyml monitor runs/home --board nano33ble --teach lumos
      tinyml monitor runs/home --board nano33ble --train lumos
      tinyml monitor --board nano33ble --emulated --sound yes.wav
      tinyml monitor --board nano33ble --filter time --filter detections --log heard.jsonl
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.monitor.monitor import monitor, trace_modes
    from tinyml_cli.monitor.task_monitor import MonitorOptions
    from tinyml_cli.run import Run
    from tinyml_cli.teaching import command as teaching

    if word := teach or train:
        learned = teaching.on_board(run, board, port, word, replay, microphone, device, teach is None)
        console.result(learned, teaching.learned_sentence(learned))
        return
    wanted = MonitorOptions(
        replay=replay,
        duration_s=duration,
        as_json=json,
        log=log,
        filters=tuple(filters or ()),
        trace=trace_modes(options.word_list(trace, "--trace") or []),
        save_triggers=save_triggers,
        png=png,
        calibrate_s=calibrate,
        frames=frames,
        microphone=microphone or None,
        camera=camera or None,
        device=device,
    )
    second = Run.open(other) if other else None
    around = emulated_options.surroundings(emulated, sound, motion)
    target = build_target(board, app=app, port=port, second=second, emulated=around)
    monitor(Run.open(run), target, wanted)
