"""tinyml build"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    board: options.Board = "sim",
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compile the firmware with the run's model through PlatformIO, and report what it needs.

    \b
    Examples:
      tinyml build --board sim
      tinyml build runs/kws-yes-no --board native --json
      tinyml build --board sim --engine tflm --tflm ../tflite-micro-library
    """
    from tinyml_cli.device.build import build
    from tinyml_cli.run import Run

    outcome = build(Run.open(run), board, engine, tflm)
    console.result(
        outcome,
        f"Built {outcome['elf']}: flash {outcome['flash_bytes']:,} B, RAM {outcome['ram_bytes']:,} B "
        f"(arena {outcome['arena_bytes']:,} B). Next: tinyml monitor --board {board}",
    )
