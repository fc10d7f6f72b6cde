"""tinyml pipeline TASK, for a task that another package brings"""

from __future__ import annotations

import typer

from tinyml_cli.commands import options


def command(
    context: typer.Context,
    data: options.DataOption = None,
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
    """Run every stage of a task from another package; --set sets its own options."""
    from tinyml_cli.pipeline import run_pipeline
    from tinyml_cli.stages import common as stages

    opened, recipe = stages.prepare(str(context.info_name), {}, data, config, set_ or [], run, seed)
    outcome = run_pipeline(opened, recipe, board, engine, tflm, data, port, resume)
    options.end_pipeline(outcome, f"Done in {outcome['seconds']:.0f} s. Run: {outcome['run']}", gate)
