"""Trains a changed network to reproduce the trained one's outputs, on the training split, without labels.

G. Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv:1503.02531: the outputs of the trained
network carry more information than the label. No labels are needed, so this serves every task; and since the
target is the network's own output, the effect is that of the change, not of more training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tinyml_cli import registry
from tinyml_cli.console import COMPILING, console
from tinyml_cli.errors import TinymlError
from tinyml_cli.tracking import seam
from tinyml_cli.training.determinism import make_deterministic
from tinyml_cli.training.optimisation import adam

if TYPE_CHECKING:
    from tinyml_cli.recipes.base import BaseRecipe
    from tinyml_cli.run import Run

FloatArray = npt.NDArray[np.float32]
AfterStep = Callable[[float], None]

_PREDICT_BATCH = 256
_WARM_UP_SHARE = 0.05


@dataclass(frozen=True)
class FineTuneSettings:
    """How to fine-tune.

    Attributes:
        epochs: passes over the inputs.
        learning_rate: of Adam, falling to a hundredth in one cosine.
        batch_size: inputs of a step.
        samples: inputs of the training split.
    """

    epochs: int = 10
    learning_rate: float = 1e-3
    batch_size: int = 64
    samples: int = 4000

    def check(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            TinymlError: a value out of range.
        """
        for name, low, high in (("epochs", 0, 10_000), ("batch_size", 1, 4096), ("samples", 10, 1_000_000)):
            if not low <= getattr(self, name) <= high:
                option = f"--{name.replace('_', '-')}"
                raise TinymlError(f"{getattr(self, name)} is out of range", option, f"Use {low} to {high}.")
        if not 0 < self.learning_rate <= 1:
            raise TinymlError(
                f"{self.learning_rate} is out of range", "--learning-rate", "Use 0.001 or less."
            )


def training_inputs(run: Run, recipe: BaseRecipe, n: int, seed: int) -> FloatArray:
    """Model inputs of the training split: those a task makes for this, else its calibration samples."""
    drawn = registry.task(recipe.task).training_inputs(run, recipe, n, seed)
    inputs: FloatArray = np.asarray(drawn, np.float32)
    return inputs


def predict(model: keras.Model, inputs: FloatArray) -> FloatArray:
    """Outputs float32 [n, ...] of a model with one output."""
    parts = [
        np.asarray(model.predict_on_batch(inputs[start : start + _PREDICT_BATCH]))
        for start in range(0, len(inputs), _PREDICT_BATCH)
    ]
    return np.concatenate(parts)


def load(path: Path) -> keras.Model:
    """A trained model.

    Raises:
        TinymlError: it cannot be loaded.
    """
    from tinyml_cli.models.keras_source import KerasSource

    return KerasSource(path)._model


def fine_tune(
    student: keras.Model,
    inputs: FloatArray,
    targets: FloatArray,
    settings: FineTuneSettings,
    seed: int,
    after_step: AfterStep | None = None,
    what: str = "Fine-tuning",
) -> float:
    """Trains in place; the mean loss of the last epoch.

    Args:
        student: what is trained.
        inputs: float32 [n, ...].
        targets: float32 [n, ...], the outputs to come near to.
        settings: how.
        seed: fixes everything.
        after_step: called with the share of steps done, 0 to 1, after each.
        what: for the progress bar.
    """
    make_deterministic(seed)
    size = min(settings.batch_size, len(inputs))
    steps = max(1, len(inputs) // size)
    total = max(1, steps * settings.epochs)
    warm_up = max(1, int(total * _WARM_UP_SHARE))
    schedule = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate / 20, max(1, total - warm_up), 0.01, "cosine", settings.learning_rate, warm_up
    )
    step = _step(student, adam(schedule), _loss_of(targets))
    last = 0.0
    with console.progress(total, what, COMPILING) as bar:
        for epoch in range(settings.epochs):
            order = np.random.default_rng([seed, 31, epoch]).permutation(len(inputs))
            losses = []
            for index in range(steps):
                rows = order[index * size : (index + 1) * size]
                losses.append(float(step(tf.constant(inputs[rows]), tf.constant(targets[rows]))))
                if after_step is not None:
                    after_step((epoch * steps + index + 1) / total)
                bar.advance(1, f"epoch {epoch + 1}/{settings.epochs} loss {losses[-1]:.4f}")
            last = float(np.mean(losses))
            seam.epoch(epoch + 1, {f"{what.lower()}/loss": last})
    return last


def _loss_of(targets: FloatArray) -> Callable[[Any, Any], Any]:
    """Cross-entropy for probabilities; squared error, in units of the targets' variance, for the rest."""
    is_probability = (
        targets.ndim == 2
        and targets.shape[1] > 1
        and bool((targets >= 0).all())
        and bool(np.allclose(targets.sum(axis=1), 1, atol=1e-3))
    )
    if is_probability:
        return lambda y, p: -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(tf.maximum(p, 1e-7)), axis=1))
    variance = float(max(targets.var(), 1e-9))
    return lambda y, p: tf.reduce_mean(tf.square(y - p)) / variance


def _step(student: keras.Model, optimizer: Any, loss: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    variables = student.trainable_variables
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(targets, student(inputs, training=True))
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    return step  # type: ignore[no-any-return]
