"""One process of a search: suggests a network, checks it against the limits, trains it, reports."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml_cli import recipes, registry, temporary
from tinyml_cli.comparison.cost import firmware_report
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.profile.budget import Limit, judge
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import Run
from tinyml_cli.stages import common as stages
from tinyml_cli.tracking import seam
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.tuning import study as studies
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    import optuna

# A short first training identifies poor candidates; it costs this share of the whole.
_SHORT_SHARE = 0.25
_FEW = 4
_CANDIDATES_PER_TRIAL = 30
_FEASIBILITY_SAMPLES = 8


@dataclass(frozen=True)
class Search:
    """The subject of a search.

    Attributes:
        recipe: shared by all trials.
        limits: of the board.
        trials: number to train.
        folder: of the trials' runs.
    """

    recipe: BaseRecipe
    limits: Sequence[Limit]
    trials: int
    folder: Path

    @property
    def identity(self) -> str:
        """The same for all processes that share the study: of its record, see `tracking.seam`."""
        return _short_hash(str(self.folder.resolve()))

    @property
    def about(self) -> dict[str, Any]:
        """The settings that identify a study."""
        limits = {limit.name: limit.most for limit in self.limits}
        return {"recipe": self.recipe.to_yaml(), "limits": limits}


def work(search: Search, study: optuna.Study) -> None:
    """Trains candidates until the study has enough; several processes may do this at once.

    Raises:
        TinymlError: no candidate is within the limits, or a training fails because of the user's input.
    """
    optuna = studies.require_optuna()
    while len(studies.trained_trials(study)) < search.trials:
        revived = studies.revive(study)
        if revived:
            console.info(f"Resuming {counted(revived, 'trial')} of a stopped process.")
        tried = len(study.get_trials(deepcopy=False))
        if tried > _CANDIDATES_PER_TRIAL * search.trials:
            raise TinymlError(
                f"Too few of {tried} candidates are within the limits",
                str(search.folder),
                "Loosen the limits.",
            )
        trial = studies.ask(study, search.recipe.seed)
        with studies.beating(study, trial.number):
            try:
                values = _try(search, study, trial)
            except optuna.TrialPruned as reason:
                console.info(f"  trial {trial.number}: {reason}")
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                continue
        study.tell(trial, values)
        console.info(f"  trial {trial.number}: {values[0]:.4f} at {values[1]:,.0f} instructions")


def _try(search: Search, study: optuna.Study, trial: optuna.Trial) -> tuple[float, float]:
    optuna = studies.require_optuna()
    task = registry.task(search.recipe.task)
    recipe = with_values(search.recipe, task.search_space(trial, search.recipe))
    figures, over = feasible(task, recipe, search.limits)
    for name, value in figures.items():
        trial.set_user_attr(name, value)
    if over:
        trial.set_user_attr("over", over)
        raise optuna.TrialPruned(f"not trained: {over[0]}")
    folder = search.folder / _digest(recipe)
    with seam.child(f"trial {trial.number}", _short_hash(str(folder.resolve())), search.identity):
        seam.tell(recipe.model_dump(mode="json"), {"tinyml.trial": str(trial.number)})
        quality = _train_both(recipe, folder, study, trial)
        seam.figures({f"trial/{name}": value for name, value in figures.items()})
    if quality is None:
        raise optuna.TrialPruned(f"stopped early at {trial.user_attrs['short']:.4f}")
    trial.set_user_attr("run", str(folder / "run"))
    return quality, float(figures["instructions"])


def _train_both(recipe: BaseRecipe, folder: Path, study: optuna.Study, trial: optuna.Trial) -> float | None:
    """A short training, then the whole one: its validation measure; None where the short one was poor."""
    short = _short(recipe)
    if short is not None:
        with seam.under("short"):
            first = _trained(short, folder / "short")
        poor = _is_poor(first, study)
        trial.set_user_attr("short", first)
        if poor:
            trial.set_user_attr(studies.TRAINED, True)
            return None
    quality = _trained(recipe, folder / "run")
    trial.set_user_attr(studies.TRAINED, True)
    return quality


def with_values(recipe: BaseRecipe, values: Mapping[str, Any]) -> BaseRecipe:
    """The recipe with some of its values replaced, by dotted key.

    Raises:
        TinymlError: a value that the recipe does not accept.
    """
    document = recipe.model_dump(mode="json")
    for key, value in values.items():
        *parents, leaf = key.split(".")
        node = document
        for parent in parents:
            node = node[parent]
        node[leaf] = value
    return recipes.validate(document, "the study")


def feasible(task: Any, recipe: BaseRecipe, limits: Sequence[Limit]) -> tuple[dict[str, Any], list[str]]:
    """Exact figures of an untrained network's firmware, and the limits that it exceeds, in words.

    Sizes, instructions and RAM depend only on shapes, not on the weights' values, so networks that a board
    cannot hold are never trained.
    """
    model = task.build_model(recipe)
    int8 = task.on_board(recipe, untrained_int8(model))
    report = firmware_report(int8)
    figures = {
        "bytes": len(int8),
        "flash_bytes": report.memory.flash_bytes,
        "ram_bytes": report.memory.ram_bytes,
        "instructions": report.instructions,
        "time_ms": report.time_ms,
        "parameters": int(model.count_params()),
    }
    return figures, [str(verdict) for verdict in judge(report, list(limits)) if verdict.over]


def untrained_int8(model: Any) -> bytes:
    """The int8 flatbuffer of an untrained network, which cannot be used afterwards."""
    from tinyml_cli.conversion.convert import to_flatbuffers

    rng = np.random.default_rng(0)
    # An untrained network may give the same output for any input, which leaves int8 without a scale.
    for weight in model.trainable_weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    samples = rng.normal(size=(_FEASIBILITY_SAMPLES, *model.input_shape[1:]))
    return to_flatbuffers(_InMemory(model), [samples.astype(np.float32)]).int8


def _InMemory(model: Any) -> Any:  # noqa: N802  stands where a class would
    """The network after saving and loading, as the converter needs it: Keras exports loaded models."""
    from tinyml_cli.models.source import open_source

    with temporary.folder("tune") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return open_source(path)


def _short(recipe: BaseRecipe) -> BaseRecipe | None:
    """The recipe with a quarter of its epochs; None if that saves nothing."""
    training = getattr(recipe, "training", None)
    epochs = getattr(training, "epochs", 0)
    if epochs * _SHORT_SHARE < 1:
        return None
    return with_values(recipe, {"training.epochs": max(1, round(epochs * _SHORT_SHARE))})


def _is_poor(first: float, study: optuna.Study) -> bool:
    """Whether a short training is below the median of the others.

    D. Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017.
    """
    others = [t.user_attrs["short"] for t in study.get_trials(deepcopy=False) if "short" in t.user_attrs]
    return len(others) >= _FEW and first < statistics.median(others)


def _trained(recipe: BaseRecipe, path: Path) -> float:
    """Validation measure of a trained run; a run that is already trained is not trained again."""
    run = Run.at(path)
    with run.writing(wait=True):
        if stages.is_trained(run, recipe):
            measures = run.manifest().metrics["train"]
            return _quality(measures)
        outcome = stages.train(run, recipe, Resume.IF_SAVED, latest=False, keeps_snapshot=False)
        write_atomic(path / "outcome.json", json.dumps(outcome.metrics) + "\n")
        return _quality(outcome.metrics)


def _quality(measures: Mapping[str, Any]) -> float:
    """Balanced accuracy in validation, which runs of older versions call `validation_accuracy`."""
    return float(measures.get("validation_balanced_accuracy", measures["validation_accuracy"]))


def _digest(recipe: BaseRecipe) -> str:
    """The same candidate has the same folder, so an interrupted trial resumes where it stopped."""
    return _short_hash(recipe.to_yaml())


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
