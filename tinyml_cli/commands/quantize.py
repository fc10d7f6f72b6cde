"""tinyml quantize"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    method: Annotated[
        str | None, typer.Option("--method", help="ptq: post-training quantisation to int8.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", help="Calibration samples, all from the training split.")
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw the calibration set and show what int8 costs in each layer.

    \b
    Examples:
      tinyml quantize
      tinyml quantize runs/kws-yes-no --samples 500 --json
    """
    from tinyml_cli.run import Run
    from tinyml_cli.tflite.calibrate import quantize

    outcome = quantize(Run.open(run), method, samples)
    console.result(
        outcome, f"Calibrated on {outcome['calibration_samples']} training samples. Next: tinyml convert"
    )
