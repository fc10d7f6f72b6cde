"""tinyml build"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    board: options.Board = "sim",
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    app: options.App = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compile the firmware with the run's model through PlatformIO, and report what it needs.

    \b
    Examples:
      tinyml build --board sim
      tinyml build --board nano33ble
      tinyml build runs/kws-yes-no --board native --json
      tinyml build other_model.tflite --board sim
      tinyml build --board sim --engine tflm --tflm ../tflite-micro-library
    """
    from tinyml_cli.adopt import open_run
    from tinyml_cli.device.build import build

    outcome = build(open_run(run), board, engine, tflm, app)
    console.result(
        outcome,
        f"Built {outcome['elf']}: flash {outcome['flash_bytes']:,} B, RAM {outcome['ram_bytes']:,} B "
        f"(arena {outcome['arena_bytes']:,} B). Next: tinyml monitor --board {board}",
    )
