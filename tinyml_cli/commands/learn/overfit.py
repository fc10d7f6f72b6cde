"""tinyml learn overfit"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    samples: Annotated[
        int, typer.Option("--samples", min=10, max=1347, help="Number of digits to train on.")
    ] = 200,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=300, help="Training epochs.")] = 30,
    dropout: Annotated[
        float, typer.Option("--dropout", min=0, max=0.95, help="Share of values that dropout removes.")
    ] = 0.5,
    shift: Annotated[
        int, typer.Option("--shift", min=0, max=4, help="Pixels that augmentation moves a digit at most.")
    ] = 2,
    seed: learn_options.Seed = 0,
    out: learn_options.Out = Path("learn-overfit.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Learn too few digits: dense layers against convolutions, with dropout and augmentation as remedies.

    The digits lie anywhere in a frame of 12 x 12 pixels.

    \b
    Examples:
      tinyml learn overfit
      tinyml learn overfit --samples 30
      tinyml learn overfit --samples 500 --epochs 20 --json
    """
    from tinyml_cli.learn.lesson import show
    from tinyml_cli.learn.overfit import learn_overfit

    show(learn_overfit(samples, epochs, dropout, shift, seed, out))
