"""Blocks shared by the networks for speech."""

from __future__ import annotations

import keras
from keras import layers

# With the few hundred steps of a small data set the default of 0.99 leaves inference statistics behind.
_MOMENTUM = 0.9


def normalise(x: keras.KerasTensor, name: str, relu: bool = True) -> keras.KerasTensor:
    """Batch normalisation, and ReLU behind it unless the block is linear."""
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def convolve(x: keras.KerasTensor, filters: int, name: str, relu: bool = True) -> keras.KerasTensor:
    """A 1x1 convolution with normalisation."""
    x = layers.Conv2D(filters, 1, use_bias=False, name=name)(x)
    return normalise(x, name, relu)


def bands_as_channels(x: keras.KerasTensor) -> keras.KerasTensor:
    """[batch, frames, bands, 1] -> [batch, frames, 1, bands]: convolutions then run over time alone."""
    frames, bands = x.shape[1:3]
    return layers.Reshape((frames, 1, bands), name="bands")(x)
