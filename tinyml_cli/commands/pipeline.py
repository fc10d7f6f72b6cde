"""tinyml pipeline"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    task: Annotated[str, typer.Argument(help="What to train: kws (keyword spotting).")],
    words: options.Words = None,
    data: options.DataOption = None,
    board: options.Board = "sim",
    port: options.Port = None,
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Every stage in one go: words in, firmware out, and the board hears held-out clips.

    Stages that are already done for the same recipe are not done again.

    \b
    Examples:
      tinyml pipeline kws --words yes,no --board sim
      tinyml pipeline kws --words left,right --data speech_commands/ --board native
    """
    from tinyml_cli.pipeline import run_pipeline

    outcome = run_pipeline(
        task, options.word_list(words), data, board, engine, tflm, config, set_ or [], run, seed, port
    )
    heard = outcome["monitor"]
    right = heard["hits"] + heard["rejections"]
    console.result(
        outcome,
        f"Done in {outcome['seconds']:.0f} s: the board heard {right} of {heard['n']} clips as expected. "
        f"The run is {outcome['run']}",
    )
