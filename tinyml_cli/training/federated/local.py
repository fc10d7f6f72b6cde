"""The training of one client in one round: from the global model to the client's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tinyml_cli.training.batches import Batches
from tinyml_cli.training.determinism import seed_layers
from tinyml_cli.training.federated.wire import Vector, Wire
from tinyml_cli.training.optimisation import adam
from tinyml_cli.training.warm_start import built

Loss = Callable[[Any, Any], Any]
"""(targets, outputs) -> the loss of each example, [examples]."""


class LocalTraining:
    """One network that all clients take turns in: clients keep nothing between rounds, as boards would not.

    Attributes:
        model: the network.
        wire: its values as a vector.
    """

    def __init__(
        self, build: Callable[[], keras.Model], loss: Loss, weight_decay: float | None, prox_mu: float
    ) -> None:
        """Compiles nothing yet.

        Args:
            build: makes the untrained network.
            loss: what is minimised.
            weight_decay: decoupled, of Adam.
            prox_mu: pull towards where the round began, mu/2 |w - w0|^2 (FedProx, arXiv:1812.06127).
        """
        self.model = built(build)
        self.wire = Wire(self.model)
        self._optimizer = adam(0.0, weight_decay)
        self._optimizer.build(self.model.trainable_variables)
        self._fresh = [variable.numpy() for variable in self._optimizer.variables]
        self._start = [tf.Variable(weight) for weight in self.model.trainable_variables]
        self._step = self._compiled(loss, prox_mu)

    def at(self, values: Vector) -> keras.Model:
        """The network with these values, until the next call."""
        self.wire.write(self.model, values)
        return self.model

    def run(
        self, start: Vector, batches: Batches, passes: range, rate: float, seed: int
    ) -> tuple[Vector, Vector]:
        """Trains from `start`.

        Args:
            start: values of the model, float64 [values].
            batches: the data.
            passes: numbers of the passes over them, counted over all rounds.
            rate: of learning.
            seed: of dropout.

        Returns:
            The values afterwards; float64 [2], the mean loss, and the share of examples whose largest output
            is the wanted one.
        """
        self.at(start)
        for variable, value in zip(self._optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self._optimizer.learning_rate = rate
        for anchor, weight in zip(self._start, self.model.trainable_variables, strict=True):
            anchor.assign(weight.value)
        seed_layers(self.model, seed)
        measures = []
        for number in passes:
            for batch in batches.epoch(number):
                weights = np.ones(len(batch.inputs), np.float32) if batch.weights is None else batch.weights
                measures.append(self._step(*map(tf.constant, (batch.inputs, batch.targets, weights))))
        return self.wire.read(self.model), np.mean(measures, axis=0, dtype=np.float64)

    def _compiled(self, loss: Loss, prox_mu: float) -> Any:
        variables = self.model.trainable_variables

        @tf.function  # type: ignore[untyped-decorator]
        def step(inputs: Any, targets: Any, weights: Any) -> Any:
            with tf.GradientTape() as tape:
                outputs = self.model(inputs, training=True)
                value = tf.reduce_mean(weights * loss(targets, outputs))
            gradients = tape.gradient(value, variables)
            if prox_mu:
                pairs = zip(gradients, variables, self._start, strict=True)
                gradients = [slope + prox_mu * (now.value - begin) for slope, now, begin in pairs]
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
            hits = tf.argmax(outputs, axis=-1) == tf.argmax(targets, axis=-1)
            return value, tf.reduce_mean(tf.cast(hits, tf.float32))

        return step
