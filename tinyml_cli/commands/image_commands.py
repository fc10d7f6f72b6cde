"""`train` and `pipeline` of the tasks that look at images: one signature, one text each."""

from __future__ import annotations

from collections.abc import Callable

from tinyml_cli.commands import image_options, options
from tinyml_cli.console import console
from tinyml_cli.wording import counted


def train_command(task: str, text: str) -> Callable[..., None]:
    """`tinyml train TASK` with this help text."""

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
        from tinyml_cli.recipes.vww import values_of
        from tinyml_cli.stages import common as stages

        values = values_of(options.word_list(classes), size, gray, model, alpha, backbone)
        opened, recipe = stages.prepare(task, values, data, config, set_ or [], run, seed)
        outcome = stages.train(opened, recipe, resume)
        console.result(outcome, stages.train_text(outcome))

    command.__doc__ = text
    return command


def pipeline_command(task: str, text: str) -> Callable[..., None]:
    """`tinyml pipeline TASK` with this help text."""

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
        resume: options.Resume = False,
        gate: options.Gate = True,
        json: options.Json = False,
        quiet: options.Quiet = False,
    ) -> None:
        from tinyml_cli.pipeline import run_pipeline
        from tinyml_cli.recipes.vww import values_of
        from tinyml_cli.stages import common as stages

        values = values_of(options.word_list(classes), size, gray, model, alpha, backbone)
        opened, recipe = stages.prepare(task, values, data, config, set_ or [], run, seed)
        outcome = run_pipeline(opened, recipe, board, engine, tflm, data, port, resume)
        seen = outcome["monitor"]
        right = seen["hits"] + seen["rejections"]
        options.end_pipeline(
            outcome,
            f"Done in {outcome['seconds']:.0f} s: the board classified {right} of "
            f"{counted(seen['n'], 'image')} as expected. Run: {outcome['run']}",
            gate,
        )

    command.__doc__ = text
    return command
