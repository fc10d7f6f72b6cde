"""tinyml learn filter"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    image: Annotated[
        Path | None, typer.Argument(metavar="[IMAGE]", help="A picture; a drawing by default.")
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            "--kernel",
            metavar="KERNEL",
            help="identity, blur, gauss, sharpen, sobel-x, sobel-y, laplace, emboss, or rows of your own "
            "such as '1,2,1;2,4,2;1,2,1/16'; repeatable; sobel-x and sobel-y by default.",
        ),
    ] = None,
    pool: Annotated[
        int, typer.Option("--pool", min=1, max=16, help="Side of the blocks that are pooled; 1 for none.")
    ] = 2,
    pooling: Annotated[
        str,
        typer.Option("--pooling", callback=options.one_of("pooling", "max", "mean"), help="max or mean."),
    ] = "max",
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Drop signs: edges of both directions.")
    ] = False,
    out: learn_options.Out = Path("learn-filter.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Slide kernels over a picture, as a convolutional layer does, and pool what comes out.

    \b
    Examples:
      tinyml learn filter
      tinyml learn filter photo.jpg --kernel laplace --pool 4
      tinyml learn filter photo.jpg --kernel "1,1,1;1,1,1;1,1,1/9" --kernel sharpen
      tinyml learn filter photo.jpg --absolute --json
    """
    from tinyml_cli.learn.filters import learn_filter
    from tinyml_cli.learn.lesson import show

    show(learn_filter(image, kernel or ["sobel-x", "sobel-y"], pool, pooling, absolute, out))
