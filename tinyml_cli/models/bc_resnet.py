"""BC-ResNet: residual blocks that compute over time alone and broadcast the result over frequency.

B. Kim et al., "Broadcasted Residual Learning for Efficient Keyword Spotting", arXiv:2106.04140. Adapted to
int8 runtimes: batch instead of sub-spectral normalisation, ReLU instead of swish, and kernels
over time that are not dilated, since a dilated one becomes three operators.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tinyml_cli.models.blocks import classify, convolve, normalise


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    stem_filters: int = 16,
    stages: Sequence[Sequence[int]] = ((8, 1, 1), (12, 1, 2), (16, 2, 2), (20, 2, 1)),
    last_filters: int = 32,
    dropout: float = 0.1,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        stem_filters: channels of the first 5x5 convolution, which halves time and frequency.
        stages: (filters, blocks, stride over frequency) of each stage; the n-th looks 2^n frames each way.
        last_filters: channels before the classifier.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to CONV_2D,
        DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, ADD, RESHAPE, FULLY_CONNECTED and SOFTMAX.
    """
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(stem_filters, 5, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = normalise(x, "stem")
    for stage, (filters, blocks, stride) in enumerate(stages):
        for block in range(blocks):
            name = f"stage{stage + 1}_block{block + 1}"
            first = block == 0
            x = _block(x, filters, stride if first else 1, 2 ** (stage + 1) + 1, first, name)
    x = layers.DepthwiseConv2D((5, 5), padding="same", use_bias=False, name="last_depthwise")(x)
    x = normalise(x, "last_depthwise", relu=False)
    x = convolve(x, last_filters, "last")
    return keras.Model(inputs, classify(x, labels, dropout), name="bc_resnet")


def _block(
    x: keras.KerasTensor, filters: int, stride: int, frames: int, changes: bool, name: str
) -> keras.KerasTensor:
    """One block; with `changes` it sets the channels and adds no identity.

    The mean over frequency is computed over `frames` of time, and added to every band.
    """
    y = convolve(x, filters, f"{name}_in") if changes else x
    if stride > 1:
        y = layers.AveragePooling2D((1, stride), name=f"{name}_pool")(y)
    y = layers.DepthwiseConv2D((1, 3), padding="same", use_bias=False, name=f"{name}_frequency")(y)
    wide = normalise(y, f"{name}_frequency", relu=False)
    bands = int(wide.shape[2])
    y = layers.AveragePooling2D((1, bands), name=f"{name}_mean")(wide)
    y = layers.DepthwiseConv2D((frames, 1), padding="same", use_bias=False, name=f"{name}_time")(y)
    y = normalise(y, f"{name}_time")
    y = convolve(y, filters, f"{name}_out", relu=False)
    y = layers.Add(name=f"{name}_broadcast")([wide, y])
    if not changes:
        y = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu")(y)
