"""How a model is compiled, and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from tinyml_cli.recipes.base import ClassifierTraining

CLASSIFIER = "scores"
"""The name of a classifier's last layer."""

_WARM_UP_SHARE = 0.05
_FINAL_SHARE = 0.01


class Optimisation(Protocol):
    """The optimiser's part of a training."""

    def begins_phase(self, epoch: int) -> bool:
        """Whether the model is compiled anew before this epoch; true of epoch 0."""

    def prepare(self, model: keras.Model, epoch: int) -> None:
        """Compiles for the phase that this epoch begins."""

    def rate(self, step: int) -> float | None:
        """The learning rate of a step, counted over all epochs; None where the optimiser has a schedule."""


class OnePhase:
    """One optimiser, which has its own schedule."""

    def __init__(self, prepare: Callable[[keras.Model], None]) -> None:
        """Keeps the function that compiles."""
        self._prepare = prepare

    def begins_phase(self, epoch: int) -> bool:
        """True of the first."""
        return epoch == 0

    def prepare(self, model: keras.Model, epoch: int) -> None:
        """Compiles."""
        del epoch
        self._prepare(model)

    def rate(self, step: int) -> None:
        """The optimiser's own."""
        del step


class TransferPhases:
    """First only a new classifier layer is trained, then all layers; without a backbone, all at once."""

    def __init__(
        self, training: ClassifierTraining, steps_per_epoch: int, frozen_epochs: int | None = None
    ) -> None:
        """Plans the phases.

        Args:
            training: epochs of both phases, rates and losses.
            steps_per_epoch: batches of an epoch.
            frozen_epochs: length of the first phase; None for a network that nobody trained before.
        """
        self._training = training
        self._is_transfer = frozen_epochs is not None
        self._frozen_epochs = min(frozen_epochs or 0, training.epochs)
        self._frozen_steps = self._frozen_epochs * steps_per_epoch
        self._steps = training.epochs * steps_per_epoch

    def begins_phase(self, epoch: int) -> bool:
        """True of the first epoch, and of the first in which all layers learn."""
        return epoch in (0, self._frozen_epochs)

    def prepare(self, model: keras.Model, epoch: int) -> None:
        """Makes trainable what this phase trains, and compiles."""
        frozen = epoch < self._frozen_epochs
        for layer in model.layers:
            # Batch statistics of a few images would spoil the backbone's, from millions of images.
            is_statistics = isinstance(layer, keras.layers.BatchNormalization) and self._is_transfer
            layer.trainable = not is_statistics and (not frozen or layer.name == CLASSIFIER)
        training = self._training
        model.compile(
            optimizer=adam(training.learning_rate, training.weight_decay),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
            weighted_metrics=["accuracy"],
        )

    def rate(self, step: int) -> float:
        """One cosine per phase, after a short warm-up (arXiv:1608.03983)."""
        total = self._steps - self._frozen_steps
        if step < self._frozen_steps:
            total = self._frozen_steps
        else:
            step -= self._frozen_steps
        peak, rise = self._training.learning_rate, max(1, int(total * _WARM_UP_SHARE))
        if step < rise:
            return peak * (step + 1) / rise
        share = (step - rise) / max(1, total - rise)
        return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share)))


def one_cosine(training: ClassifierTraining, steps: int) -> OnePhase:
    """Adam with decoupled weight decay, a warm-up and one cosine (arXiv:1711.05101, arXiv:1608.03983)."""
    warm_up = max(1, int(steps * _WARM_UP_SHARE))

    def prepare(model: keras.Model) -> None:
        schedule = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=training.learning_rate / 20,
            decay_steps=max(1, steps - warm_up),
            warmup_target=training.learning_rate,
            warmup_steps=warm_up,
            alpha=_FINAL_SHARE,
        )
        model.compile(
            optimizer=adam(schedule, training.weight_decay),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
            metrics=["accuracy"],
        )

    return OnePhase(prepare)


def adam(rate: Any, weight_decay: float | None = None) -> keras.optimizers.Adam:
    """Keras's Adam, which traces in half the time: the same arithmetic, bit for bit, in fewer operations.

    Keras computes for each variable anew what all share, and through operations for any backend and any
    number of devices; seconds of every training go there. A saved model names Keras's own optimizer.

    Args:
        rate: of learning: a number, or a schedule.
        weight_decay: decoupled (AdamW, arXiv:1711.05101); None: none.
    """
    made = keras.optimizers.Adam(rate) if weight_decay is None else keras.optimizers.AdamW(rate, weight_decay)
    evaluate = made._get_current_learning_rate
    shared: dict[tuple[str, tf.Graph], tf.Tensor] = {}

    def once(name: str, make: Callable[[], tf.Tensor]) -> tf.Tensor:
        if tf.executing_eagerly():
            return make()
        key = name, tf.compat.v1.get_default_graph()
        if key not in shared:
            shared[key] = make()
        return shared[key]

    def learning_rate() -> tf.Tensor:
        return once("rate", evaluate)

    def step_size() -> tf.Tensor:
        step = tf.cast(made.iterations.value + 1, tf.float32)
        first, second = (tf.pow(tf.constant(beta), step) for beta in (made.beta_1, made.beta_2))
        return tf.cast(learning_rate(), tf.float32) * tf.sqrt(1 - second) / (1 - first)

    def decay(variables: Sequence[keras.Variable]) -> None:
        for variable in variables if weight_decay is not None else ():
            variable.value.assign_sub(variable.value * weight_decay * learning_rate())

    def update(gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable], _: tf.Tensor) -> None:
        for gradient, variable in zip(gradients, variables, strict=True):
            index = made._get_variable_index(variable)
            mean, square = made._momentums[index].value, made._velocities[index].value
            mean.assign_add((gradient - mean) * (1 - made.beta_1))
            square.assign_add((tf.square(gradient) - square) * (1 - made.beta_2))
            size = once("size", step_size)
            variable.value.assign_sub(mean * size / (tf.sqrt(square) + made.epsilon))

    made._get_current_learning_rate = learning_rate
    made._apply_weight_decay = decay
    made._backend_update_step = update
    return made


def squared_error(learning_rate: float, steps: int) -> OnePhase:
    """Adam with one cosine, for a network that reproduces its input."""

    def prepare(model: keras.Model) -> None:
        schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=_FINAL_SHARE)
        model.compile(optimizer=adam(schedule), loss="mse")

    return OnePhase(prepare)
