"""tinyml evaluate"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    data: options.DataOption = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="test (speakers never trained on) or all; chosen from the data."),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure float32 and int8 accuracy, with n and a 95 % interval, and the confusion matrix.

    \b
    Examples:
      tinyml evaluate --data speech_commands/
      tinyml evaluate runs/kws-yes-no --data my_recordings/ --json
    """
    from tinyml_cli.evaluation.evaluate import evaluate
    from tinyml_cli.run import Run

    outcome = evaluate(Run.open(run), data, split)
    int8, float32 = outcome["int8"], outcome["float32"]
    low, high = int8["ci95"]
    console.result(
        outcome,
        f"int8 accuracy {int8['accuracy']:.3f} (95 % interval {low:.3f}–{high:.3f}, n = {outcome['n']}), "
        f"float32 {float32['accuracy']:.3f}",
    )
