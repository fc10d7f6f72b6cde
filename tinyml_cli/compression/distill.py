"""Distillation: trains a run's network again, with larger models as its teachers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyml_cli import recipes, variants
from tinyml_cli.compression import stage
from tinyml_cli.compression.steps import CompressionStep
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.comparisons import Compressed
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.stages import common as stages
from tinyml_cli.tracking import seam
from tinyml_cli.variants import STEPS


def distill(
    run: Run,
    teachers: Sequence[str],
    name: str | None = None,
    share: float | None = None,
    temperature: float | None = None,
    on_board: bool = True,
    resume: bool = False,
) -> Compressed:
    """Trains the run's recipe again from the start, and learns from teachers beside the labels.

    Data, epochs and seed are the run's, so the run itself is the control: the same training without teachers.

    Args:
        run: a trained run whose task learns from teachers.
        teachers: runs of the same labels and features.
        name: of the variant; "distilled" by default.
        share: the teachers' share of the targets; the recipe's by default.
        temperature: above 1 softens their scores; the recipe's by default.
        on_board: whether to count instructions.
        resume: go on with a distillation that was cut off.

    Raises:
        TinymlError: no teachers, a task that learns from none, or an unusable teacher.
    """
    run.manifest()
    recipe = recipes.load(run.file(RECIPE))
    if not teachers:
        raise TinymlError("No teacher given", "--teacher", "Name a trained run: --teacher runs/large")
    paths = [str(Run.open(teacher).path.resolve()) for teacher in teachers]
    asked = {"teachers": paths, "share": share, "temperature": temperature}
    taught = _taught(recipe, {key: value for key, value in asked.items() if value is not None}, run)
    step = CompressionStep("distill")
    variant = variants.place_of(run, name or "distilled")
    title = f"{run.path.name} {variant.path.name}"
    with variant.making(latest=False), seam.stage("compress", run.path, title=title) as ended:
        trained = stages.train(variant, taught, resume, latest=False)
        manifest = variant.manifest()
        manifest.metrics[STEPS] = [step.as_dict() | {"teachers": [Path(path).name for path in paths]}]
        variant.save(manifest)
        loss = trained.metrics.get("validation_loss")
        distilled: Compressed = ended(stage.finish(run, variant, [step], None, loss, on_board))
        return distilled


def _taught(recipe: BaseRecipe, values: dict[str, Any], run: Run) -> BaseRecipe:
    overrides = [f"distillation.{key}={value!r}" for key, value in values.items()]
    return recipes.resolve(recipe.task, run.file(RECIPE), overrides, {})
