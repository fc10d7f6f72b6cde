"""Makes the challenger: every stage that its gates will look at, each skipped where it is done."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tinyml_cli import recipes
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_atomic
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.figures import RunFigures
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_INT8, RECIPE, Run, runs_dir
from tinyml_cli.stages import common as stages
from tinyml_cli.training.checkpoint import Resume

START = "champion.keras"
_ENGINE = "aot"


def recipe_of(champion: Run, config: Path | None, data: Path | None) -> BaseRecipe:
    """The recipe that the challenger is trained by: the project's, else the champion's, on the data of today.

    Raises:
        TinymlError: the recipe cannot be read, is of another task, or is of one that takes no data.
    """
    kept = recipes.load(champion.file(RECIPE))
    if data is not None and not kept.takes_data:
        raise TinymlError(f"The task `{kept.task}` takes no data", "--data", "Leave it out.")
    recipe = kept if config is None else recipes.resolve(kept.task, config, [], {})
    path = None if data is None else str(data.resolve())
    return recipe.model_copy(update={"data_path": path, "start_from": None})


def place_of(name: str, champion: int, recipe: BaseRecipe, digest: str | None, anew: bool) -> Path:
    """The challenger's folder, the same for the same champion, recipe and data: nothing is made twice."""
    key = f"{name} {champion} {recipe.to_yaml()} {digest} {anew}"
    return runs_dir() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def make(path: Path, recipe: BaseRecipe, champion: Run | None, limits: Budgets) -> Run:
    """Trains, quantises, converts, exports and measures; a killed call goes on where it was.

    Args:
        path: the run's folder.
        recipe: what to train.
        champion: whose weights training begins with; None begins anew.
        limits: say what has to be measured.

    Raises:
        TinymlError: see the stages; a network of another shape than the champion's.
    """
    from tinyml_cli.conversion.convert import convert
    from tinyml_cli.engines.export import export_as_before
    from tinyml_cli.engines.freshness import needs_export
    from tinyml_cli.stages.calibrate import quantize

    run = Run.create(path)
    if not run.file(RECIPE).exists():  # a folder without one would not be taken for a run if this is killed
        write_atomic(run.file(RECIPE), recipe.to_yaml())
    if champion is not None:
        recipe = _starting_from(champion, run, recipe)
    if not stages.is_trained(run, recipe):
        stages.check(recipe, path)
        console.info("[train]")
        stages.train(run, recipe, Resume.IF_SAVED, latest=False)
    if not run.is_fresh(run.manifest(), CALIBRATION):
        console.info("[quantize]")
        quantize(run)
    if not run.is_fresh(run.manifest(), MODEL_INT8):
        console.info("[convert]")
        convert(run)
    if needs_export(run, run.manifest(), _ENGINE):
        export_as_before(run, _ENGINE)
    _measure(run, limits)
    return run


def _starting_from(champion: Run, run: Run, recipe: BaseRecipe) -> BaseRecipe:
    """The recipe that begins with the champion's weights, which are kept in the run."""
    source = champion.require(champion.manifest(), MODEL)
    if not run.file(START).is_file():
        with atomic_path(run.file(START)) as temporary:
            shutil.copyfile(source, temporary)
    path = str(run.file(START).resolve())
    return recipes.validate(
        {**recipe.model_dump(mode="json"), "start_from": path}, "recipe of the challenger"
    )


def _measure(run: Run, limits: Budgets) -> None:
    """Evaluates, on the budgets' board where they ask for it; profiles where they limit time or energy."""
    from tinyml_cli.evaluation.evaluate import evaluate
    from tinyml_cli.evaluation.options import EvaluationOptions
    from tinyml_cli.profile import outcome
    from tinyml_cli.profile.profile import profile

    figures = RunFigures(run, limits.board)
    on_board = limits.parity or any((limits.flash_bytes, limits.ram_bytes, limits.arena_bytes))
    if not figures.quality or (on_board and not figures.quality.get("device")):
        console.info("[evaluate]")
        target = build_target(limits.board, _ENGINE) if on_board else None
        evaluate(run, options=EvaluationOptions(target=target))
    timed = limits.inference_ms is not None or limits.energy_uj is not None
    if timed and RunFigures(run, limits.board).of_budget("inference_ms") is None:
        console.info("[profile]")
        outcome.record(run, profile(run, build_target(limits.board, _ENGINE)), [])
