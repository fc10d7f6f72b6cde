"""Starting a training: from the command line's options to a run directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_cli import recipes
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import MODEL, RECIPE, Run, default_name, runs_dir


def prepare(
    task: str,
    values: Mapping[str, Any],
    data: Path | None,
    config: Path | None,
    overrides: list[str],
    run_path: Path | None,
    seed: int | None,
) -> tuple[Run, BaseRecipe]:
    """Resolves the recipe and makes its run directory.

    Args:
        task: a task's name.
        values: dotted key of the recipe -> value of an option; None counts as not given.
        data: a folder of the user's.
        config: a YAML recipe.
        overrides: `key=value`s of --set.
        run_path: the run directory; None names it after the task and what it tells apart.
        seed: fixes everything that is random.

    Raises:
        TinymlError: unknown task, invalid recipe, data folder that is not there, unusable run directory.
    """
    from tinyml_cli.tasks import get_task

    get_task(task)
    if data is not None and not data.is_dir():
        raise TinymlError(
            "There is no such data folder", str(data), "Give --data a folder with a folder per label."
        )
    data_path = None if data is None else str(data.resolve())
    recipe = recipes.resolve(task, config, overrides, {**values, "seed": seed, "data_path": data_path})
    return Run.create(run_path or runs_dir() / default_name(task, recipe.title)), recipe


def train(run: Run, recipe: BaseRecipe, resume: bool = False) -> dict[str, Any]:
    """Trains; the run's recipe and manifest change only when a model has been written."""
    from tinyml_cli.tasks import get_task

    return get_task(recipe.task).train(run, recipe, resume=resume)


def train_text(outcome: dict[str, Any]) -> str:
    """What a training says when it has ended."""
    return f"Trained {outcome['run']} in {outcome['seconds']:.0f} s. Next: tinyml quantize {outcome['run']}"


def is_trained(run: Run, recipe: BaseRecipe) -> bool:
    """Whether the run already holds the model of exactly this recipe."""
    path = run.file(RECIPE)
    if not path.is_file() or path.read_text(encoding="utf-8") != recipe.to_yaml():
        return False
    try:
        return run.is_fresh(run.manifest(), MODEL)
    except TinymlError:
        return False
