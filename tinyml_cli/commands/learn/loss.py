"""tinyml learn loss"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options

_LARGEST = 1_000_000


def command(
    w: Annotated[float, typer.Option("--w", min=-_LARGEST, max=_LARGEST, help="The line's slope.")] = 1.0,
    b: Annotated[float, typer.Option("--b", min=-_LARGEST, max=_LARGEST, help="Its value at x = 0.")] = 0.0,
    points: learn_options.Points = None,
    out: learn_options.Out = Path("learn-loss.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose w and b of a line by hand: its error at each point, its loss, and the loss of all other lines.

    \b
    Examples:
      tinyml learn loss --w 2 --b -1
      tinyml learn loss --w 2 --b 0 --points "0,1;1,3;2,4"
      tinyml learn loss --w 3 --b 1 --json
    """
    from tinyml_cli.learn.lesson import show
    from tinyml_cli.learn.loss import learn_loss

    show(learn_loss(w, b, points, out))
