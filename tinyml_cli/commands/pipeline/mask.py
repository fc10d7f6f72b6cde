"""tinyml pipeline mask"""

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
    """The transfer-learning lab in one go: folders of images in, firmware out, tried on images kept aside.

    Stages that are already done for the same recipe are not done again.

    \b
    Examples:
      tinyml pipeline mask --data faces/ --board sim
      tinyml pipeline mask --data faces/ --classes no_mask,mask --backbone mine.keras --board native
    """
    from tinyml_cli import stages
    from tinyml_cli.pipeline import run_pipeline
    from tinyml_cli.recipes.vww import values_of

    values = values_of(options.word_list(classes), size, gray, model, alpha, backbone)
    opened, recipe = stages.prepare("mask", values, data, config, set_ or [], run, seed)
    outcome = run_pipeline(opened, recipe, board, engine, tflm, data, port)
    seen = outcome["monitor"]
    right = seen["hits"] + seen["rejections"]
    console.result(
        outcome,
        f"Done in {outcome['seconds']:.0f} s: the board judged {right} of {seen['n']} images as expected. "
        f"The run is {outcome['run']}",
    )
