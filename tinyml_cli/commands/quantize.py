"""tinyml quantize"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.quantization.scheme import COMPARISONS, METHODS, RANGES


def command(
    run: options.RunArgument = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            callback=options.one_of("method", *METHODS, *COMPARISONS),
            help="ptq (after training), qat (fine-tuned with rounding); or dynamic, float16, int16x8.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", min=10, max=10_000, help="Calibration samples, all from the training split."
        ),
    ] = None,
    ranges: Annotated[
        str | None,
        typer.Option(
            "--ranges",
            callback=options.one_of("way to choose ranges", *RANGES),
            help="min-max, percentile, mse or entropy: how much of the values int8 covers.",
        ),
    ] = None,
    per_tensor: Annotated[
        bool | None,
        typer.Option(
            "--per-tensor/--per-channel", help="One scale for all weights of a layer, or per channel."
        ),
    ] = None,
    bias_correction: Annotated[
        bool | None,
        typer.Option("--bias-correction/--no-bias-correction", help="Take back the mean error of weights."),
    ] = None,
    equalise: Annotated[
        bool | None,
        typer.Option("--equalise/--no-equalise", help="Even out channels between consecutive layers first."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=0, max=10_000, help="Of training with rounding, with --method qat."),
    ] = None,
    keep_float: Annotated[
        str | None, typer.Option("--keep-float", metavar="LAYER", help="Refused: says why, and what helps.")
    ] = None,
    variant: options.Variant = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw weights and activations before and after.")
    ] = True,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose how the network becomes int8, and show what that costs in each layer.

    Writes the calibration set; `tinyml convert` makes the model. With --as NAME a variant of the run is made
    and converted, beside the run: `tinyml compare` shows all of them.

    \b
    Examples:
      tinyml quantize
      tinyml quantize runs/kws-yes-no --samples 500 --ranges mse --bias-correction
      tinyml quantize runs/kws-yes-no --method qat --as qat
      tinyml quantize runs/kws-yes-no --method int16x8 --json
    """
    from tinyml_cli import stages
    from tinyml_cli.tflite import calibrate, quantize_stage

    choices = quantize_stage.Choices(
        method,
        samples,
        ranges,
        None if per_tensor is None else not per_tensor,
        bias_correction,
        equalise,
        epochs,
    )
    outcome = quantize_stage.quantize_run(stages.open_trained(run), choices, keep_float, variant, pictures)
    console.result(outcome, calibrate.sentence(outcome))
