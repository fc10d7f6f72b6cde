"""Fits a network to points of a curve."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.models import curve
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.optimisation import squared_error
from tinyml_cli.training.trainer import Fitted, TrainingPlan, train

Points = tuple[NDArray[np.float32], NDArray[np.float32]]


def fit(
    points: Points, validation: Points, recipe: HelloRecipe, logs: Path, resume: Resume | bool = False
) -> Fitted:
    """Trains until the last epoch; see `trainer.train`. The loss is the mean squared error.

    Args:
        points: x and y, float32 [n] each.
        validation: others.
        recipe: network, epochs, rate and seed.
        logs: folder for TensorBoard and the checkpoint.
        resume: what to do with the checkpoint of an earlier training.
    """
    batches, epochs = ShuffledPoints(points, recipe), recipe.training.epochs
    x, y = (values[:, None] for values in validation)

    def judged(model: keras.Model) -> dict[str, float]:
        return {"loss": float(np.mean((model.predict_on_batch(x) - y) ** 2))}

    plan = TrainingPlan(
        lambda: curve.build(recipe.model.hidden),
        batches,
        judged,
        squared_error(recipe.training.learning_rate, len(batches) * epochs),
        epochs,
        recipe.seed,
    )
    return train(plan, logs, hashlib.sha256(recipe.to_yaml().encode()).hexdigest(), resume)


class ShuffledPoints:
    """All points, each epoch in another order (`batches.Batches`)."""

    def __init__(self, points: Points, recipe: HelloRecipe) -> None:
        self._x, self._y = (values[:, None] for values in points)
        self._seed = recipe.seed
        self._size = min(recipe.training.batch_size, len(self._x))

    def __len__(self) -> int:
        return len(self._x) // self._size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Whole batches; what is left over stands elsewhere in the next epoch."""
        order = np.random.default_rng([self._seed, 9, epoch]).permutation(len(self._x))
        for rows in order[: len(self) * self._size].reshape(len(self), self._size):
            yield Batch(self._x[rows], self._y[rows])
