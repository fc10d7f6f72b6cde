"""tinyml learn quantize"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    bits: Annotated[int, typer.Option("--bits", min=2, max=8, help="Bits of each whole number.")] = 8,
    symmetric: Annotated[
        bool, typer.Option("--symmetric", help="Have 0 stand for 0, as for weights.")
    ] = False,
    outlier: Annotated[
        float | None,
        typer.Option("--outlier", min=-1e6, max=1e6, help="A value far away, in place of the first."),
    ] = None,
    matrix: Annotated[
        str | None,
        typer.Option("--matrix", metavar="A,B;C,D", help="Values of your own; 64 x 64 random by default."),
    ] = None,
    seed: learn_options.Seed = 0,
    out: learn_options.Out = Path("learn-quantize.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Round a matrix to int8, or to fewer bits: scale, zero point, error and what is left of its values.

    \b
    Examples:
      tinyml learn quantize
      tinyml learn quantize --bits 4 --symmetric
      tinyml learn quantize --outlier 50
      tinyml learn quantize --matrix "0.5,-1;2,0.25" --bits 3 --json
    """
    from tinyml_cli.learn.lesson import show
    from tinyml_cli.learn.quantize import learn_quantize

    show(learn_quantize(bits, symmetric, outlier, matrix, seed, out))
