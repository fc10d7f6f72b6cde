"""stream_ds_cnn: a DS-CNN (see ds_cnn) that a board computes frame by frame.

No layer pads over time or frequency, so its output for a frame does not change when later frames arrive; see
stream_conv. Unlike that network it looks at frequency by small kernels, so a voice may lie higher or lower.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tinyml_cli.models.blocks import classify, convolve, normalise


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    stem_filters: int = 32,
    stem_kernel: Sequence[int] = (9, 4),
    blocks: Sequence[Sequence[int]] = ((48, 2, 3), (64, 1, 3), (64, 1, 3), (64, 1, 3)),
    dropout: float = 0.2,
) -> keras.Model:
    """The network over a whole window, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        stem_filters: channels of the first convolution, which halves time and frequency.
        stem_kernel: its size in frames and channels.
        blocks: (filters, stride, kernel in frames) of each separable block.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to CONV_2D,
        DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED and SOFTMAX. Inferences are to be a
        multiple of the product of all strides over time apart, which are four frames by default.
    """
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(stem_filters, tuple(stem_kernel), strides=2, use_bias=False, name="stem")(inputs)
    x = normalise(x, "stem")
    for index, (filters, stride, kernel) in enumerate(blocks, start=1):
        x = layers.DepthwiseConv2D(
            (kernel, 3), strides=stride, use_bias=False, name=f"block{index}_depthwise"
        )(x)
        x = normalise(x, f"block{index}_depthwise")
        x = convolve(x, filters, f"block{index}_pointwise")
    return keras.Model(inputs, classify(x, labels, dropout), name="stream_ds_cnn")
