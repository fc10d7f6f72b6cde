"""tinyml train wand"""

from __future__ import annotations

from tinyml_cli.commands import options, wand_options
from tinyml_cli.console import console


def command(
    labels: wand_options.Labels = None,
    data: wand_options.Data = None,
    kind: wand_options.Input = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a magic wand on your gestures, from recordings or from simulated hand strokes.

    \b
    Examples:
      tinyml train wand --labels 0,1,2
      tinyml train wand --labels wing,ring --data strokes/
      tinyml train wand --input imu --labels wave,snake --data motion/
      tinyml train wand --labels 0,1,2 --resume
    """
    from tinyml_cli.stages import common as stages

    values = wand_options.values(options.word_list(labels), kind)
    opened, recipe = stages.prepare("wand", values, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
