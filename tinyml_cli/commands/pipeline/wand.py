"""tinyml pipeline wand"""

from __future__ import annotations

from tinyml_cli.commands import options, wand_options
from tinyml_cli.wording import counted


def command(
    labels: wand_options.Labels = None,
    data: wand_options.Data = None,
    kind: wand_options.Input = None,
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
    """Gestures in, firmware out; then the board is fed held-out motion.

    Stages already done for the same recipe are skipped, and an interrupted training is resumed.

    \b
    Examples:
      tinyml pipeline wand --labels 0,1,2 --board sim
      tinyml pipeline wand --labels wing,ring --data strokes/ --board native
    """
    from tinyml_cli.pipeline import run_pipeline
    from tinyml_cli.stages import common as stages

    values = wand_options.values(options.word_list(labels), kind)
    opened, recipe = stages.prepare("wand", values, data, config, set_ or [], run, seed)
    outcome = run_pipeline(opened, recipe, board, engine, tflm, None, port, resume)
    felt = outcome["monitor"]
    right = felt["hits"] + felt["rejections"]
    options.end_pipeline(
        outcome,
        f"Done in {outcome['seconds']:.0f} s: the board classified {right} of "
        f"{counted(felt['n'], 'motion')} as expected. Run: {outcome['run']}",
        gate,
    )
