"""What clients minimise: the loss of each example, [examples]."""

from __future__ import annotations

import keras

from tinyml_cli.training.federated.local import Loss


def cross_entropy(label_smoothing: float) -> Loss:
    """Of a classifier."""
    loss: Loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing, reduction=None)
    return loss


def squared_error() -> Loss:
    """Of a network that reproduces its input."""
    loss: Loss = keras.losses.MeanSquaredError(reduction=None)
    return loss
