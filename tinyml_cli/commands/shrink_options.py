"""Options of the commands that make a network smaller, and of the training that follows."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options


def _variant(name: str, where: str) -> None:
    from tinyml_cli.variants import check_name

    check_name(name)


Variant = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        callback=options.given(_variant),
        help="Create a variant of the run, in its folder variants/NAME.",
    ),
]
Then = Annotated[
    list[str] | None,
    typer.Option(
        "--then",
        metavar="STEP",
        help="The next step: prune=0.7, structured=0.5, cluster=16 or qat; repeatable.",
    ),
]
FineTuneEpochs = Annotated[
    int, typer.Option("--epochs", min=0, max=10_000, help="Epochs of training per step.")
]
FineTuneRate = Annotated[
    float,
    typer.Option("--learning-rate", min=1e-7, max=1, help="Learning rate of each step's training."),
]
FineTuneSamples = Annotated[
    int,
    typer.Option("--samples", min=10, max=1_000_000, help="Number of training inputs to fine-tune on."),
]
CountInstructions = Annotated[
    bool, typer.Option("--profile/--no-profile", help="Count instructions on the virtual board.")
]
