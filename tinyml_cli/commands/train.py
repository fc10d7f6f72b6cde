"""tinyml train"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    task: Annotated[str, typer.Argument(help="What to train: kws (keyword spotting).")],
    words: options.Words = None,
    data: options.DataOption = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a training that was cut off.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a model for your words, from recordings or from synthesised speech.

    \b
    Examples:
      tinyml train kws --words yes,no
      tinyml train kws --words yes,no --data speech_commands/ --seed 7
      tinyml train kws --words marvin --set training.epochs=40 --run runs/marvin
      tinyml train kws --words yes,no --resume
    """
    from tinyml_cli import stages

    opened, recipe = stages.prepare(task, options.word_list(words), data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(
        outcome,
        f"Trained {outcome['run']} in {outcome['seconds']:.0f} s. Next: tinyml quantize {outcome['run']}",
    )
