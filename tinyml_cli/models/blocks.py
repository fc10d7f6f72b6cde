"""Blocks that networks share."""

from __future__ import annotations

import keras
from keras import layers

# With the few hundred steps of a small data set the default of 0.99 leaves inference statistics behind.
_MOMENTUM = 0.9


def normalise(
    x: keras.KerasTensor, name: str, relu: bool = True, ceiling: float | None = None
) -> keras.KerasTensor:
    """Batch normalisation, which the converter folds into the convolution before it, and ReLU behind it.

    Args:
        x: any map.
        name: the block's; layers are named after it.
        relu: False for a linear block.
        ceiling: the largest output, 6 for ReLU6; None: there is none.
    """
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(ceiling, name=f"{name}_relu")(x) if relu else x


def convolve(
    x: keras.KerasTensor, filters: int, name: str, relu: bool = True, ceiling: float | None = None
) -> keras.KerasTensor:
    """A 1x1 convolution with normalisation, see `normalise`."""
    return normalise(layers.Conv2D(filters, 1, use_bias=False, name=name)(x), name, relu, ceiling)


def bands_as_channels(x: keras.KerasTensor) -> keras.KerasTensor:
    """[batch, frames, bands, 1] -> [batch, frames, 1, bands]: convolutions then run over time alone.

    It costs nothing on the device.
    """
    frames, bands = x.shape[1:3]
    return layers.Reshape((frames, 1, bands), name="bands")(x)


def classify(x: keras.KerasTensor, labels: int, dropout: float) -> keras.KerasTensor:
    """The mean of the map, and a softmax of it.

    Not GlobalAveragePooling2D: it becomes MEAN, whose int8 rounding changed between releases of TFLM.
    """
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    x = layers.Flatten(name="pooled")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(labels, activation="softmax", name="scores")(x)
