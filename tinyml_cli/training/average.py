"""A moving average of a model's weights."""

from __future__ import annotations

import keras
import tensorflow as tf


class Average:
    """A copy of a model that holds the moving average of its weights.

    Exponential averaging after B. Polyak and A. Juditsky (1992), including normalisation statistics. The
    decay grows from 0 with the number of steps, so that the initial weights are soon forgotten.
    """

    def __init__(self, model: keras.Model, twin: keras.Model, decay: float) -> None:
        """Starts the average.

        Args:
            model: the model in training.
            twin: a model of the same architecture with the average so far.
            decay: share of the old average kept in each step, in [0, 1).
        """
        self.twin = twin
        self._decay = decay
        pairs = [
            (ours, theirs)
            for ours, theirs in zip(twin.weights, model.weights, strict=True)
            if "float" in ours.dtype
        ]

        def follow(share: tf.Tensor) -> None:
            for ours, theirs in pairs:
                ours.assign(ours + (theirs - ours) * share)

        self._follow = tf.function(follow)

    def step(self, number: int) -> None:
        """Updates the average after the model's step `number`, counted from 0 over all epochs."""
        self._follow(tf.constant(1 - min(self._decay, (1 + number) / (10 + number)), tf.float32))


def twin_of(model: keras.Model) -> keras.Model:
    """A copy for the average."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin
