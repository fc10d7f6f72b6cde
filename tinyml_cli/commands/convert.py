"""tinyml convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def _calibration(value: str, where: str) -> None:
    if value != "random":
        checks.data(Path(value), where)


def command(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|MODEL]",
            help="A run, or a model trained elsewhere: .keras, .h5 (Keras 2 and 3) or a SavedModel folder; "
            "the latest run by default.",
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(
            "--calibration",
            callback=options.given(_calibration),
            metavar="DATA",
            help="Real inputs for MODEL: .npz, .npy, a folder of these or of images; or the word random.",
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            "--out",
            callback=options.given(checks.output_folder),
            help="Run directory for MODEL; runs/<name>-<hash> by default.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", min=10, max=100_000, help="Maximum number of calibration samples; 500 by default."
        ),
    ] = None,
    value_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LOW,HIGH",
            help="The values of black and white that MODEL expects: 0,255 or -1,1.",
        ),
    ] = None,
    signature: Annotated[
        str | None,
        typer.Option("--signature", metavar="NAME", help="Which one of a SavedModel MODEL with several."),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the float32 and int8 flatbuffers, and compare three runtimes on them.

    \b
    Examples:
      tinyml convert
      tinyml convert runs/kws-yes-no --json
      tinyml convert my_model.h5 --calibration samples.npz
      tinyml convert saved_model/ --calibration photos/ --range 0,255 --run runs/mine
      tinyml convert two_heads/ --calibration samples.npz --signature encode
    """
    from tinyml_cli.stages import convert as convert_stage

    outcome = convert_stage.convert_any(model, calibration, run, samples, value_range, signature)
    console.result(outcome, convert_stage.sentence(outcome))
