"""tinyml learn digits"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import learn_options, options


def command(
    units: Annotated[
        int, typer.Option("--units", min=1, max=1024, help="Neurons of each hidden layer.")
    ] = 32,
    layers: Annotated[int, typer.Option("--layers", min=0, max=6, help="Hidden layers.")] = 1,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=200, help="Training epochs.")] = 20,
    optimizer: Annotated[
        str,
        typer.Option("--optimizer", callback=options.one_of("optimizer", "sgd", "adam"), help="sgd or adam."),
    ] = "sgd",
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", min=1e-9, max=1e3, help="Learning rate; 0.1 for sgd, 0.005 for adam by default."
        ),
    ] = None,
    normalise: Annotated[
        bool, typer.Option("--normalise/--no-normalise", help="Divide pixels by 16.")
    ] = True,
    stop_at: Annotated[
        float | None,
        typer.Option("--stop-at", min=0.1, max=1, help="Stop at this accuracy on the training digits."),
    ] = None,
    item: Annotated[int, typer.Option("--item", min=0, help="The test digit whose answer is shown.")] = 0,
    seed: learn_options.Seed = 0,
    out: learn_options.Out = Path("learn-digits.png"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a network on handwritten digits: parameters counted, layers and units chosen, answers shown.

    \b
    Examples:
      tinyml learn digits
      tinyml learn digits --units 128 --layers 2 --stop-at 0.98
      tinyml learn digits --no-normalise
      tinyml learn digits --optimizer adam --item 7 --json
    """
    from tinyml_cli.learn.digits import DigitOptions, learn_digits
    from tinyml_cli.learn.lesson import show

    chosen = DigitOptions(units, layers, epochs, optimizer, rate, normalise, stop_at, item, seed)
    show(learn_digits(chosen, out))
