"""tinyml learn descent"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    rate: Annotated[
        float, typer.Option("--rate", min=1e-9, max=1e3, help="Learning rate: the length of each step.")
    ] = 0.1,
    start: Annotated[str, typer.Option("--start", metavar="W,B", help="The first w and b.")] = "-4,8",
    steps: Annotated[int, typer.Option("--steps", min=1, max=10_000, help="Number of steps.")] = 50,
    points: learn_options.Points = None,
    out: learn_options.Out = Path("learn-descent.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Let gradient descent find the line: its path, step by step, and the rate at which it diverges.

    \b
    Examples:
      tinyml learn descent
      tinyml learn descent --rate 0.3
      tinyml learn descent --rate 0.02 --start 10,10 --steps 200 --json
    """
    from tinyml_cli.learn.descent import learn_descent
    from tinyml_cli.learn.lesson import show

    show(learn_descent(rate, start, steps, points, out))
