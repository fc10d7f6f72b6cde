"""tinyml export-c-array"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    engine: Annotated[str, typer.Option("--engine", help="tflm, aot or both.")] = "both",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the model as C: an array for TensorFlow Lite Micro, or plain C compiled ahead of time.

    \b
    Examples:
      tinyml export-c-array
      tinyml export-c-array runs/kws-yes-no --engine aot
    """
    from tinyml_cli.engines.export import export
    from tinyml_cli.run import Run

    opened = Run.open(run)
    outcome = export(opened, engine)
    files = "\n".join(f"  {opened.path / name}" for name in outcome["files"])
    console.result(outcome, f"Wrote\n{files}\nNext: tinyml build --board sim")
