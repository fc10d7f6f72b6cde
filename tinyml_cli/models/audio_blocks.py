"""Blocks shared by the networks for sound."""

from __future__ import annotations

import keras
from keras import layers

# With the few hundred steps of a small data set the default of 0.99 leaves inference statistics behind.
_MOMENTUM = 0.9


def normalise(x: keras.KerasTensor, name: str, relu: bool = True) -> keras.KerasTensor:
    """Batch normalisation, which the converter folds into the convolution before it, and ReLU."""
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def bands_as_channels(x: keras.KerasTensor) -> keras.KerasTensor:
    """[batch, frames, bands, 1] -> [batch, frames, 1, bands], which costs nothing on the device."""
    _, frames, bands, _ = x.shape
    return layers.Reshape((frames, 1, bands), name="bands")(x)


def pointwise(x: keras.KerasTensor, filters: int, name: str, relu: bool = True) -> keras.KerasTensor:
    """A 1x1 convolution with normalisation."""
    return normalise(layers.Conv2D(filters, 1, use_bias=False, name=name)(x), name, relu)


def classify(x: keras.KerasTensor, labels: int, dropout: float) -> keras.KerasTensor:
    """The mean of the map, and a softmax of it.

    Not GlobalAveragePooling2D: it becomes MEAN, whose int8 rounding changed between releases of TFLM.
    """
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    x = layers.Flatten(name="pooled")(x)
    return scores(x, labels, dropout)


def scores(x: keras.KerasTensor, labels: int, dropout: float) -> keras.KerasTensor:
    """A softmax over [batch, values]."""
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(labels, activation="softmax", name="scores")(x)
