"""Blocks of the networks for images, with ReLU6."""

from __future__ import annotations

import keras
from keras import layers

from tinyml_cli.models import blocks

_CEILING = 6.0
# A map smaller than this keeps its size: small inputs would have nothing left to look at.
_SMALLEST_HALVED = 6


def stride_for(x: keras.KerasTensor, stride: int) -> int:
    """The stride, or 1 where the map [batch, rows, columns, channels] is too small to be halved."""
    return stride if min(x.shape[1:3]) >= _SMALLEST_HALVED else 1


def convolve(x: keras.KerasTensor, filters: int, name: str, relu: bool = True) -> keras.KerasTensor:
    """A 1x1 convolution with normalisation and ReLU6."""
    return blocks.convolve(x, filters, name, relu, _CEILING)


def stem(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """The first 3x3 convolution, which halves the image."""
    x = layers.Conv2D(filters, 3, strides=stride_for(x, 2), padding="same", use_bias=False, name="stem")(x)
    return blocks.normalise(x, "stem", ceiling=_CEILING)


def depthwise(x: keras.KerasTensor, stride: int, name: str) -> keras.KerasTensor:
    """A 3x3 depthwise convolution with normalisation."""
    x = layers.DepthwiseConv2D(3, strides=stride_for(x, stride), padding="same", use_bias=False, name=name)(x)
    return blocks.normalise(x, name, ceiling=_CEILING)


def separable(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    """Depthwise, then 1x1."""
    return convolve(depthwise(x, stride, f"{name}_depthwise"), filters, f"{name}_pointwise")


def scaled(filters: int, alpha: float) -> int:
    """Filters times alpha, rounded to a multiple of 8 that is not less than 90 % of it.

    M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381, their code.
    """
    wanted = filters * alpha
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded
