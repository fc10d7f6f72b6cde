"""Starts a training: from the command line's options to a run directory."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_cli import checks, interrupt, recipes, registry
from tinyml_cli.console import console
from tinyml_cli.data import snapshot
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Epochs
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.stages import Epoch, Trained
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CHECKPOINT, MADE_BY, MODEL, RECIPE, Run, default_name, runs_dir
from tinyml_cli.statistics import chance
from tinyml_cli.tracking import seam
from tinyml_cli.training import learning_curve
from tinyml_cli.training.checkpoint import Checkpoint, Resume, nothing_saved
from tinyml_cli.training.energy_ledger import spending
from tinyml_cli.training.warm_start import starting_from


def prepare(
    task: str,
    values: Mapping[str, Any],
    data: Path | None,
    config: Path | None,
    overrides: list[str],
    run_path: Path | None,
    seed: int | None,
) -> tuple[Run, BaseRecipe]:
    """Resolves the recipe and finds its run directory; writes nothing.

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
    if data is not None:
        (checks.data if recipes.schema_of(task).data_may_be_file else checks.data_folder)(data)
    data_path = None if data is None else str(data.resolve())
    recipe = recipes.resolve(task, config, overrides, {**values, "seed": seed, "data_path": data_path})
    path = run_path or runs_dir() / default_name(task, recipe.title)
    if not is_trained(Run(path), recipe):
        check(recipe, path)
    return Run.at(path), recipe


def check(recipe: BaseRecipe, path: Path) -> None:
    """What can be known of a training before it starts: room, packages, and what its task knows.

    Raises:
        TinymlError: what would stop the training later.
    """
    checks.output_folder(path, "--run")
    checks.room(path, checks.ROOM_FOR_A_RUN_BYTES, "a run's files")
    checks.tensorflow()
    registry.task(recipe.task).check(recipe)


def train(
    run: Run,
    recipe: BaseRecipe,
    resume: Resume | bool = False,
    latest: bool = True,
    keeps_snapshot: bool = True,
) -> Trained:
    """Trains; what an earlier training of the run left changes only when a new model has been written.

    A training that is stopped after an epoch enters itself into a run without a model as not complete.

    Args:
        run: where to write.
        recipe: what to train.
        resume: what to do with the checkpoint of a stopped training.
        latest: as in `Run.making`.
        keeps_snapshot: False for the trials of a search, which are trained on the same data; their manifests
            name the digest.

    Raises:
        TinymlError: see `TaskSpec.train`; `resume` without a checkpoint.
    """
    attempt = _Attempt(run, recipe, Resume.of(resume))
    if attempt.resume is Resume.MUST and attempt.before is None:
        raise nothing_saved(run.file(CHECKPOINT))
    with (
        run.making(latest=latest),
        interrupt.account(attempt.stopped),
        seam.stage("train", run.path, recipe.model_dump(mode="json"), resumes=not attempt.is_whole) as ended,
    ):
        data = _snapshot(recipe)
        with spending(run.path, lambda: run.sha256_of(MODEL)) as meter, starting_from(recipe.start_from):
            outcome: Trained = registry.task(recipe.task).train(run, recipe, resume=attempt.resume)
        took = {"seconds": outcome.seconds, **meter.figures()} if attempt.is_whole else {}
        _keep_origin(run, data, keeps_snapshot, took)
        seam.figures({"train/energy_j": meter.joules})
        ended(outcome)
    progress = Checkpoint(run.file(CHECKPOINT)).usable()
    measured = outcome.metrics
    history = progress.history if progress is not None and "epochs" in measured else []
    if measured.get("better_than_chance") is False:
        counts = (measured["validation_right"], measured["validation_n"], measured["chance"])
        console.warn(chance.warning(*counts, "validation examples"))
    return outcome.model_copy(update={"history": [Epoch(**epoch) for epoch in history]})


def _snapshot(recipe: BaseRecipe) -> snapshot.DataSnapshot | None:
    """The state of the recipe's data; None for a task that makes its own, and where a file cannot be read.

    Training leaves out such files, too, and says so.
    """
    if recipe.data_path is None:
        return None
    try:
        return snapshot.take(Path(recipe.data_path), snapshot.shares_of(recipe.model_dump()))
    except TinymlError as error:
        console.warn(f"the manifest will name no snapshot of the data: {error.what} [{error.where}]")
        return None


def _keep_origin(
    run: Run,
    data: snapshot.DataSnapshot | None,
    keeps_snapshot: bool,
    took: Mapping[str, Any],
) -> None:
    """Enters what the model was trained on, so that a change of the data is noticed later, and what it took.

    Args:
        run: whose training has just ended.
        data: None for a task that makes its own.
        keeps_snapshot: whether to write all of it, beside its digest.
        took: seconds and energy of the whole training; empty for one that was resumed.
    """
    manifest = run.manifest(partial=True)
    figures = manifest.metrics.get("train")
    if took and isinstance(figures, dict):
        manifest.metrics = manifest.metrics | {"train": {**figures, **took}}
    if data is not None and manifest.data is not None:
        manifest.data.snapshot = data.digest
        if keeps_snapshot:
            write_atomic(run.file(snapshot.SNAPSHOT), data.text())
            run.record(manifest, snapshot.SNAPSHOT, MADE_BY[MODEL])
    run.save(manifest)


class _Attempt:
    """One training, and what it says when it is stopped."""

    def __init__(self, run: Run, recipe: BaseRecipe, resume: Resume) -> None:
        self.run = run
        self.recipe = recipe
        self.resume = resume
        checkpoint = Checkpoint(run.file(CHECKPOINT))
        self.before = checkpoint.progress() if resume is Resume.MUST else None
        self._stale = checkpoint.usable() if resume is Resume.NEVER else None
        self.is_whole = resume is Resume.NEVER or checkpoint.usable() is None

    def stopped(self) -> TinymlError:
        """Enters what was kept into the run; says it, and the command that goes on."""
        again = interrupt.same_command(*([] if self.resume is Resume.IF_SAVED else ["--resume"]))
        progress = Checkpoint(self.run.file(CHECKPOINT)).usable()
        if progress is None or progress == self._stale:
            return interrupt.stopped(
                "before the first epoch ended; nothing is kept",
                str(self.run.path),
                f"To start again: {interrupt.same_command()}",
            )
        epochs = Epochs(done=progress.epochs_done, planned=progress.epochs)
        earlier = "" if self._enter(epochs) else "; the model of an earlier training is unchanged"
        return interrupt.stopped(
            f"after epoch {epochs}, which is kept{earlier}", str(self.run.path), f"To resume: {again}"
        )

    def _enter(self, epochs: Epochs) -> bool:
        """Says in the manifest that the model is not complete; False where the run holds a whole one."""
        with contextlib.suppress(TinymlError):
            if self.run.manifest(partial=True).complete:
                return False
        write_atomic(self.run.file(RECIPE), self.recipe.to_yaml())
        partial = Manifest(task=self.recipe.task, seed=self.recipe.seed, complete=False, epochs=epochs)
        self.run.save(partial)
        return True


def open_trained(given: str | None) -> Run:
    """Opens a run to work on its model; with --accept-partial, makes that of a stopped training.

    Raises:
        TinymlError: there is no such run, it cannot be written or is in use, or its training was stopped and
            that is not accepted.
    """
    run = Run.open(given)
    run.check_writable()
    if run.accepts_partial and run.stopped_after() is not None and not _has_model(run):
        console.info("Building the model from the last saved epoch …")
        train(run, recipes.load(run.file(RECIPE)), Resume.AS_IT_IS)
    return run


def _has_model(run: Run) -> bool:
    try:
        return MODEL in run.manifest(partial=True).artifacts
    except TinymlError:
        return False


def train_text(outcome: Trained) -> str:
    """What a training says when it has ended: the last epoch, how good the model is, and its way there."""
    measured, history = outcome.metrics, [epoch.as_dict() for epoch in outcome.history]
    lines = [f"Trained {outcome.run} in {outcome.seconds:.0f} s."]
    if history:
        last = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in history[-1].items())
        lines.append(f"Epoch {measured['epochs']}: {last}")
    if n := measured.get("validation_n"):
        low, high = measured["validation_ci95"]
        share = measured["validation_right"] / n
        balanced = measured.get("validation_balanced_accuracy", share)
        # Balancing the scores after the last epoch can change the accuracy.
        lines.append(
            f"Saved model: validation accuracy {share:.3f} (95 % interval {low:.3f}–{high:.3f}, n = {n})"
        )
        if abs(share - balanced) > 0.005:
            lines[-1] += f", balanced accuracy {balanced:.3f}"
    curve = learning_curve.draw(history)
    step = next_step("quantize", Path(outcome.run))
    return "\n".join([*lines, *([curve] if curve else []), f"Next: {step}"])


def is_trained(run: Run, recipe: BaseRecipe) -> bool:
    """Whether the run already holds the model of exactly this recipe."""
    try:
        return run.is_fresh(run.manifest(), MODEL) and is_recipe_of(run, recipe)
    except TinymlError:
        return False


def is_recipe_of(run: Run, recipe: BaseRecipe) -> bool:
    """Whether a run was begun by exactly this recipe.

    Raises:
        TinymlError: the run has no readable recipe.
    """
    kept = recipes.load(run.file(RECIPE)).to_yaml()
    return kept in (recipe.to_yaml(), _settled(recipe).to_yaml())


def _settled(recipe: BaseRecipe) -> BaseRecipe:
    """The recipe as a training keeps it: what it leaves to the data is filled in."""
    settled: BaseRecipe = registry.task(recipe.task).settled(recipe)
    return settled
