"""`train TASK` and `pipeline TASK`: what their commands share, so that a task adds its own options alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from tinyml_cli.commands import board_options, options, tracking_options, training_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from tinyml_cli.outcomes.pipelines import Pipeline

Values = Callable[..., Mapping[str, Any]]
"""Has a task's own options as parameters; gives values of the recipe by dotted key, `data`: the path, and
perhaps `config`: what to begin with unless --config says."""


def any_task(data: options.AnyDataOption = None) -> dict[str, Any]:
    """The options of a task that other packages bring."""
    return {"data": data}


def recipe_options(
    config: training_options.Config = None,
    set_: training_options.Set = None,
    run: options.RunOption = None,
    seed: training_options.Seed = None,
    resume: training_options.Resume = False,
    track: tracking_options.Track = False,
) -> None: ...


def _board_options(
    board: board_options.Board = "sim",
    port: board_options.Port = None,
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
) -> None: ...


def _gate_option(gate: board_options.Gate = True) -> None: ...


def output_options(json: options.Json = False, quiet: options.Quiet = False) -> None: ...


def train_command(values: Values, text: str) -> Callable[..., None]:
    """`tinyml train TASK` with the options of `values` and this help; TASK is the command's own name."""

    def command(context: typer.Context, **given: Any) -> None:
        from tinyml_cli.stages import common as stages

        run, recipe, _ = prepared(context, given, values)
        outcome = stages.train(run, recipe, given["resume"])
        console.result(outcome, stages.train_text(outcome))

    return signed(command, text, values, recipe_options, output_options)


def pipeline_command(
    values: Values, text: str, item: str = "item", *, evaluates_data: bool = True
) -> Callable[..., None]:
    """`tinyml pipeline TASK`, see `train_command`.

    Args:
        values: the task's own options.
        text: the help.
        item: what is played to the board, such as clip.
        evaluates_data: whether --data is also what is evaluated on; else the run's own test split is.
    """

    def command(context: typer.Context, **given: Any) -> None:
        from tinyml_cli.build.target import build_target
        from tinyml_cli.pipeline import run_pipeline

        run, recipe, data = prepared(context, given, values)
        judged_on = data if evaluates_data else None
        target = build_target(given["board"], given["engine"], given["tflm"], port=given["port"])
        outcome = run_pipeline(run, recipe, target, judged_on, given["resume"])
        console.result(outcome, _pipeline_text(outcome, item))
        if given["gate"] and not outcome.passed:
            raise typer.Exit(EXIT_FAILURE)

    return signed(command, text, values, _board_options, recipe_options, _gate_option, output_options)


def prepared(context: typer.Context, given: Mapping[str, Any], *parts: Values) -> tuple[Any, Any, Any]:
    from tinyml_cli.stages import common as stages

    own: dict[str, Any] = {}
    for values in parts:
        own |= values(**{name: given[name] for name in inspect.signature(values).parameters})
    data, own_config = own.pop("data"), own.pop("config", None)
    task, config, overrides = str(context.info_name), given["config"] or own_config, given["set_"] or []
    return *stages.prepare(task, own, data, config, overrides, given["run"], given["seed"]), data


def _pipeline_text(outcome: Pipeline, item: str) -> str:
    """What the board made of the replay."""
    played = outcome.monitor
    right = played.hits + played.rejections
    replayed = f": the board was right about {right} of {counted(played.n, item)}" if played.n else ""
    return f"Done in {outcome.seconds:.0f} s{replayed}. Run: {outcome.run}"


def signed(command: Callable[..., None], text: str, *parts: Callable[..., Any]) -> Callable[..., None]:
    """The command with the parameters of all parts, in order, as typer reads them."""
    signatures = [inspect.signature(part, eval_str=True) for part in parts]
    parameters = [parameter for each in signatures for parameter in each.parameters.values()]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    command.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (context, *parameters)}
    command.__doc__ = text
    return command
