"""Training on examples that stay the same in every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.base import ClassifierRecipe
from tinyml_cli.training import class_weights
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.run_training import RunTraining

if TYPE_CHECKING:
    import keras

    from tinyml_cli.training.trainer import Fitted


class LabelledInputs(NamedTuple):
    """What a network is shown, and what it shall answer.

    Attributes:
        inputs: float32 [examples, ...].
        labels: int64 [examples], index into the recipe's model_labels.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]


class FixedExamples:
    """The examples in a new order for each epoch. Implements `batches.Batches`."""

    def __init__(self, examples: LabelledInputs, recipe: ClassifierRecipe) -> None:
        labels = recipe.model_labels
        counts = np.bincount(examples.labels, minlength=len(labels))
        weights = class_weights.of_labels(recipe.training.class_weights, labels, counts)
        self._inputs = examples.inputs
        self._targets = np.eye(len(labels), dtype=np.float32)[examples.labels]
        self._weights = weights[examples.labels]
        self._seed, self._size = recipe.seed, recipe.training.batch_size

    def __len__(self) -> int:
        return -(-len(self._inputs) // self._size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Depends on seed and epoch alone; the last batch is filled with examples of the first."""
        order = np.random.default_rng([self._seed, 4, epoch]).permutation(len(self._inputs))
        for rows in np.resize(order, (len(self), self._size)):
            yield Batch(self._inputs[rows], self._targets[rows], self._weights[rows])


def fit_examples(
    training: RunTraining,
    recipe: ClassifierRecipe,
    build: Callable[[], keras.Model],
    examples: LabelledInputs,
    held_out: LabelledInputs,
) -> Fitted:
    """Fits a classifier, with checkpoints and `--resume`; see `classifier.fit_classifier`.

    Args:
        training: which run, and whether a stopped training goes on.
        recipe: its section `training`, seed and labels count.
        build: makes the model; its last layer is named `scores`.
        examples: to train on.
        held_out: to choose the epoch by.
    """
    from tinyml_cli.training.classifier import Start, Validation, fit_classifier

    # All that decides what the training computes, and nothing else.
    digest = hashlib.sha256(repr(recipe.model_dump(exclude={"data_path", "quantization"})).encode())
    for part in (*examples, *held_out):
        digest.update(np.ascontiguousarray(part).tobytes())
    return fit_classifier(
        Start(build, recipe.seed),
        FixedExamples(examples, recipe),
        Validation(lambda model: model.predict(held_out.inputs, verbose=0), held_out.labels),
        recipe.training,
        training.run.file("logs"),
        digest.hexdigest(),
        training.resume,
    )
