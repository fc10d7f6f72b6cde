"""tinyml train mask"""

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
    """Transfer learning on two folders of images, such as faces with and without a mask.

    \b
    Examples:
      tinyml train mask --data faces/
      tinyml train mask --data faces/ --classes no_mask,mask --backbone imagenet
      tinyml train mask --data bottles/ --classes empty,full --backbone mine.keras --set image.low=0
    """
    from tinyml_cli import stages
    from tinyml_cli.recipes.vww import values_of

    values = values_of(options.word_list(classes), size, gray, model, alpha, backbone)
    opened, recipe = stages.prepare("mask", values, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
