"""tinyml flash"""

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
    """Build the firmware if needed, install it on the board and check that the model answers.

    \b
    Examples:
      tinyml flash --board sim
      tinyml flash runs/kws-yes-no --board native --json
    """
    from tinyml_cli.run import Run
    from tinyml_cli.stages import flash

    outcome = flash(Run.open(run), board, engine, tflm)
    console.result(
        outcome,
        f"{board} runs model {outcome['model']} ({outcome['engine']}). Next: tinyml monitor --board {board}",
    )
