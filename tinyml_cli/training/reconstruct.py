"""Fits an autoencoder to normal windows, with noise on the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.optimisation import squared_error
from tinyml_cli.training.trainer import Fitted, TrainingPlan, train

FloatArray = NDArray[np.float32]


def fit(
    build: Callable[[], keras.Model],
    windows: FloatArray,
    validation: FloatArray,
    recipe: AnomalyRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
) -> Fitted:
    """Trains until the last epoch; see `trainer.train`. Losses are in squared standard deviations.

    Args:
        build: makes the untrained model.
        windows: float32 [windows, values], normal.
        validation: the same from other sessions, for validation.
        recipe: epochs, rates, noise and seed.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.
    """
    epochs, batches = recipe.training.epochs, NoisyWindows(windows, recipe)
    plan = TrainingPlan(
        build,
        batches,
        lambda model: {"loss": float(np.mean((model.predict_on_batch(validation) - validation) ** 2))},
        squared_error(recipe.training.learning_rate, len(batches) * epochs),
        epochs,
        recipe.seed,
    )
    return train(plan, logs, fingerprint, resume)


class NoisyWindows:
    """Windows with noise as inputs, without it as targets (`batches.Batches`)."""

    def __init__(self, windows: FloatArray, recipe: AnomalyRecipe) -> None:
        self._windows = windows
        self._recipe = recipe
        self._size = min(recipe.training.batch_size, len(windows))

    def __len__(self) -> int:
        return len(self._windows) // self._size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Order and noise of an epoch."""
        rng = np.random.default_rng([self._recipe.seed, 9, epoch])
        order = rng.permutation(len(self._windows))
        for index in range(len(self)):
            clean = self._windows[order[index * self._size : (index + 1) * self._size]]
            noise = rng.normal(0.0, self._recipe.training.noise, clean.shape).astype(np.float32)
            yield Batch(clean + noise, clean)
