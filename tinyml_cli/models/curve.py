"""A network of one number in and one out, after TensorFlow Lite Micro's hello_world."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers


def build(hidden: Sequence[int]) -> keras.Model:
    """Dense layers of these widths with ReLU, and a linear one; float32 [batch, 1] -> the same shape."""
    inputs = keras.Input((1,), name="x")
    values = inputs
    for index, width in enumerate(hidden, 1):
        values = layers.Dense(width, activation="relu", name=f"dense{index}")(values)
    return keras.Model(inputs, layers.Dense(1, name="y")(values), name="curve")
