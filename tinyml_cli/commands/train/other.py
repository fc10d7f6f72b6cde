"""tinyml train TASK, for a task that another package brings"""

from __future__ import annotations

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    context: typer.Context,
    data: options.DataOption = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a task from another package; --set sets its own options."""
    from tinyml_cli.stages import common as stages

    opened, recipe = stages.prepare(str(context.info_name), {}, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
