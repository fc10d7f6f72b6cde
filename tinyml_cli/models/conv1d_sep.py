"""conv1d_sep: separable convolutions over time, with the frequency bands as channels.

S. Choi et al., "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices", arXiv:1904.03814, for
bands as channels and residual blocks; S. Majumdar and B. Ginsburg, "MatchboxNet", arXiv:2004.08531, for the
separable ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tinyml_cli.models.blocks import bands_as_channels, classify, convolve, normalise


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    stem_filters: int = 48,
    blocks: Sequence[Sequence[int]] = ((48, 9, 1), (64, 9, 2), (64, 11, 1), (64, 13, 1)),
    dropout: float = 0.2,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        stem_filters: channels of the first convolution, of 3 frames.
        blocks: (filters, frames of the kernel, stride) of each separable block; a block that changes neither
            size nor channels adds its input.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to RESHAPE,
        CONV_2D, DEPTHWISE_CONV_2D, ADD, AVERAGE_POOL_2D, FULLY_CONNECTED and SOFTMAX.
    """
    inputs = keras.Input(input_shape, name="features")
    x = bands_as_channels(inputs)
    x = layers.Conv2D(stem_filters, (3, 1), padding="same", use_bias=False, name="stem")(x)
    x = normalise(x, "stem")
    for index, (filters, frames, stride) in enumerate(blocks, start=1):
        x = _block(x, filters, frames, stride, f"block{index}")
    return keras.Model(inputs, classify(x, labels, dropout), name="conv1d_sep")


def _block(x: keras.KerasTensor, filters: int, frames: int, stride: int, name: str) -> keras.KerasTensor:
    # Keras and TFLM know square strides only for depthwise layers; the second dimension has size 1.
    y = layers.DepthwiseConv2D(
        (frames, 1), strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    y = normalise(y, f"{name}_depthwise")
    y = convolve(y, filters, f"{name}_pointwise", relu=False)
    if y.shape == x.shape:
        y = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu")(y)
