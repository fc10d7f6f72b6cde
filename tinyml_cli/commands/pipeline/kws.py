"""tinyml pipeline kws"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.wording import counted


def command(
    words: options.Words = None,
    data: options.DataOption = None,
    add_recordings: options.AddRecordings = None,
    model: options.Model = None,
    board: options.Board = "sim",
    port: options.Port = None,
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    gate: options.Gate = True,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Words in, firmware out; then the board listens to held-out clips.

    Stages already done for the same recipe are skipped, and an interrupted training is resumed.

    \b
    Examples:
      tinyml pipeline kws --words yes,no --board sim
      tinyml pipeline kws --words left,right --data speech_commands/ --board native
    """
    from tinyml_cli.pipeline import run_pipeline
    from tinyml_cli.stages import common as stages

    values = {
        "words": options.word_list(words),
        "model": {"name": model} if model else None,
        "recordings.path": str(add_recordings.resolve()) if add_recordings else None,
    }
    opened, recipe = stages.prepare("kws", values, data, config, set_ or [], run, seed)
    outcome = run_pipeline(opened, recipe, board, engine, tflm, data, port, resume)
    heard = outcome["monitor"]
    right = heard["hits"] + heard["rejections"]
    options.end_pipeline(
        outcome,
        f"Done in {outcome['seconds']:.0f} s: the board heard {right} of {counted(heard['n'], 'clip')} "
        f"as expected. Run: {outcome['run']}",
        gate,
    )
