"""tinyml quantize"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, shrink_options, tracking_options
from tinyml_cli.console import console
from tinyml_cli.quantization.scheme import COMPARISONS, METHODS, RANGES


def command(
    run: options.RunArgument = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            callback=options.one_of("method", *METHODS, *COMPARISONS),
            help="ptq (post-training), qat (quantisation-aware fine-tuning), dynamic, float16 or int16x8.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", min=10, max=10_000, help="Number of calibration samples, from the training split."
        ),
    ] = None,
    ranges: Annotated[
        str | None,
        typer.Option(
            "--ranges",
            callback=options.one_of("way to choose ranges", *RANGES),
            help="How to choose the range that int8 covers: min-max, percentile, mse or entropy.",
        ),
    ] = None,
    per_tensor: Annotated[
        bool | None,
        typer.Option("--per-tensor/--per-channel", help="One scale per layer, or one per channel."),
    ] = None,
    bias_correction: Annotated[
        bool | None,
        typer.Option(
            "--bias-correction/--no-bias-correction", help="Correct the mean error of quantised weights."
        ),
    ] = None,
    equalise: Annotated[
        bool | None,
        typer.Option(
            "--equalise/--no-equalise", help="First equalise channel ranges across consecutive layers."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=0, max=10_000, help="With --method qat: epochs of fine-tuning."),
    ] = None,
    keep_float: Annotated[
        str | None,
        typer.Option(
            "--keep-float", metavar="LAYER", help="Not supported; explains why and what to do instead."
        ),
    ] = None,
    variant: shrink_options.Variant = None,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures", help="Draw weights and activations before and after quantisation."
        ),
    ] = True,
    accept_partial: options.AcceptPartial = False,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose how the network is quantised to int8, and show the error in each layer.

    Writes the calibration set; `tinyml convert` makes the model. --as NAME creates and converts a variant
    of the run; `tinyml compare` shows all variants.

    \b
    Examples:
      tinyml quantize
      tinyml quantize runs/kws-yes-no --samples 500 --ranges mse --bias-correction
      tinyml quantize runs/kws-yes-no --method qat --as qat
      tinyml quantize runs/kws-yes-no --method int16x8 --json
    """
    from tinyml_cli.stages import calibrate
    from tinyml_cli.stages import common as stages
    from tinyml_cli.stages import quantize as quantize_stage

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
