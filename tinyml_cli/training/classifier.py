"""Fits a classifier to batches of any kind: first a new classifier layer, then all layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.base import ClassifierTraining
from tinyml_cli.training.batches import Batches
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.judging import judge
from tinyml_cli.training.optimisation import TransferPhases
from tinyml_cli.training.trainer import Fitted, TrainingPlan, train


@dataclass(frozen=True)
class Validation:
    """The validation data.

    Attributes:
        score: returns a model's scores for the examples, float32 [n, labels].
        labels: int64 [n], the true ones.
    """

    score: Callable[[keras.Model], NDArray[np.float32]]
    labels: NDArray[np.int64]

    def judge(self, model: keras.Model) -> dict[str, Any]:
        """As `judging.judge`."""
        return judge(self.score(model), self.labels)


@dataclass(frozen=True)
class Start:
    """The start of a training.

    Attributes:
        build: makes the model; its new classifier layer, if it has one, is named `scores`.
        seed: of all random choices.
        frozen_epochs: epochs in which only the new classifier layer is trained; None where the rest was not
            trained before.
    """

    build: Callable[[], keras.Model]
    seed: int
    frozen_epochs: int | None = None


def fit_classifier(
    start: Start,
    batches: Batches,
    validation: Validation,
    training: ClassifierTraining,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
) -> Fitted:
    """Trains until the last epoch; see `trainer.train`.

    Args:
        start: the initial model.
        batches: training examples.
        validation: validation examples.
        training: epochs and rates.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.
    """
    phases = TransferPhases(training, len(batches), start.frozen_epochs)
    plan = TrainingPlan(
        start.build,
        batches,
        validation.judge,
        phases,
        training.epochs,
        start.seed,
        training.weight_average,
    )
    return train(plan, logs, fingerprint, resume)
