"""tinyml monitor"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options


def command(
    run: options.RunArgument = None,
    board: options.Board = "sim",
    port: Annotated[str | None, typer.Option("--port", help="A serial port or pyserial URL.")] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="An audio file, or a folder per word, to play to the board."),
    ] = None,
    duration: Annotated[float | None, typer.Option("--duration", help="Stop after so many seconds.")] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Listen to the board; with --replay, let it hear recordings through its own code.

    \b
    Examples:
      tinyml monitor --board sim --replay yes.wav
      tinyml monitor --board sim --replay recordings/ --json
    """
    from tinyml_cli.device.monitor import monitor
    from tinyml_cli.run import Run

    monitor(Run.open(run), board, port, replay, duration, as_json=json)
