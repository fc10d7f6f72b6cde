"""tinyml data record images"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import board_options, options, record_options
from tinyml_cli.console import console


def command(
    classes: Annotated[
        str, typer.Option("--classes", help="The classes to show, one after another.")
    ] = "person,none",
    out: Annotated[Path | None, record_options.out("images")] = None,
    count: Annotated[int | None, record_options.count("class", 200)] = None,
    every: Annotated[float, typer.Option("--every", min=0, max=3600, help="Seconds between images.")] = 0.3,
    countdown: Annotated[
        float, typer.Option("--countdown", min=0, max=10, help="Seconds before each class begins.")
    ] = 3.0,
    board: record_options.Board = None,
    port: board_options.Port = None,
    run: record_options.Run = None,
    device: record_options.Device = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Take images from a webcam or a board's camera, class after class; resumes where it stopped.

    \b
    Examples:
      tinyml data record images --classes person,none --count 300
      tinyml data record images --classes cup --board nano33ble --run vww-person
      tinyml data record images --classes cup,none --device 1 --json
    """
    from tinyml_cli.collect import record_images

    plan = record_images.plan_of(
        tuple(options.word_list(classes, "--classes") or ()), out, count, every, countdown
    )
    target = record_options.target(board, port)
    with record_images.open_camera(target, run, device) as camera:
        document = record_images.record(plan, camera)
    console.result(document, record_images.text(document))
