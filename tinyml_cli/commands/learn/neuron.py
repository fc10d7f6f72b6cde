"""tinyml learn neuron"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    hidden: Annotated[
        int, typer.Option("--hidden", min=0, max=64, help="Neurons with ReLU before the last one.")
    ] = 0,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=20_000, help="Training epochs.")] = 200,
    rate: Annotated[float, typer.Option("--rate", min=1e-9, max=1e3, help="Learning rate.")] = 0.05,
    predict: Annotated[
        float, typer.Option("--predict", min=-1e6, max=1e6, help="The x to answer, and to explain.")
    ] = 10.0,
    snapshots: Annotated[
        str | None, typer.Option("--snapshots", metavar="N,N", help="Epochs to look at; four by default.")
    ] = None,
    points: learn_options.Points = None,
    seed: learn_options.Seed = 0,
    out: learn_options.Out = Path("learn-neuron.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train one neuron, or a few: what it has learned at chosen epochs, and its answer worked out by hand.

    \b
    Examples:
      tinyml learn neuron --predict 10
      tinyml learn neuron --snapshots 1,25,50,150,300 --epochs 300
      tinyml learn neuron --hidden 4 --points "-2,2;-1,1;0,0;1,1;2,2" --epochs 2000
      tinyml learn neuron --hidden 2 --json
    """
    from tinyml_cli.learn.lesson import show
    from tinyml_cli.learn.neuron import learn_neuron

    show(learn_neuron(hidden, epochs, rate, predict, snapshots, points, seed, out))
