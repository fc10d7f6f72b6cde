"""tinyml train vww"""

from __future__ import annotations

from tinyml_cli.commands import image_options, options
from tinyml_cli.console import console


def command(
    classes: image_options.Classes = None,
    data: image_options.Data = None,
    size: image_options.Size = None,
    gray: image_options.Gray = None,
    model: image_options.Model = None,
    alpha: image_options.Alpha = None,
    backbone: image_options.Backbone = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train visual wake words: does the camera see what you look for? From a folder per class.

    \b
    Examples:
      tinyml train vww --data vww/
      tinyml train vww --data photos/ --classes cat,none --model micro --size 48
      tinyml train vww --data vww/ --rgb --backbone vww_96.h5 --set training.epochs=5
      tinyml train vww --data vww/ --resume
    """
    from tinyml_cli import stages
    from tinyml_cli.recipes.vww import values_of

    values = values_of(options.word_list(classes), size, gray, model, alpha, backbone)
    opened, recipe = stages.prepare("vww", values, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
