"""What makes a training repeatable bit for bit on one machine, resumed or not."""

from __future__ import annotations

import keras
import tensorflow as tf


def make_deterministic(seed: int) -> None:
    """Seeds every generator, and has TensorFlow choose deterministic kernels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def seed_layers(model: keras.Model, epoch: int) -> None:
    """Gives the layers' random generators the state that belongs to an epoch.

    Dropout, noise and augmentation draw from them, at any depth. Keras does not save their state, which
    is all that `variables` has beyond `weights`.
    """
    for number, layer in enumerate(model.layers):
        saved = {id(variable) for variable in layer.weights}
        states = [variable for variable in layer.variables if id(variable) not in saved]
        for which, state in enumerate(states):
            # Keras takes the first number as seed and counts the second up with every draw.
            state.assign([number + (which << 16), epoch])
