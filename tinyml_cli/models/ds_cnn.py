"""DS-CNN: a convolution, then depthwise-separable blocks.

Y. Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", arXiv:1711.07128.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

# With the few hundred steps of a small data set the default of 0.99 leaves inference statistics behind.
_MOMENTUM = 0.9


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    stem_filters: int = 32,
    stem_kernel: Sequence[int] = (10, 4),
    blocks: Sequence[Sequence[int]] = ((48, 2), (64, 1), (64, 1), (64, 1)),
    dropout: float = 0.0,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        stem_filters: channels of the first convolution, which halves time and frequency.
        stem_kernel: its size in frames and channels.
        blocks: (filters, stride) of each separable block.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to CONV_2D,
        DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED and SOFTMAX.
    """
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(
        stem_filters, tuple(stem_kernel), strides=2, padding="same", use_bias=False, name="stem"
    )(inputs)
    x = _normalise(x, "stem")
    for index, (filters, stride) in enumerate(blocks, start=1):
        x = layers.DepthwiseConv2D(
            3, strides=stride, padding="same", use_bias=False, name=f"block{index}_depthwise"
        )(x)
        x = _normalise(x, f"block{index}_depthwise")
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"block{index}_pointwise")(x)
        x = _normalise(x, f"block{index}_pointwise")
    # Not GlobalAveragePooling2D: it becomes MEAN, whose int8 rounding changed between releases of TFLM.
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    x = layers.Flatten(name="pooled")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(labels, activation="softmax", name="scores")(x)
    return keras.Model(inputs, outputs, name="ds_cnn")


def _normalise(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
