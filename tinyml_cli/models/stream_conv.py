"""stream_conv: a separable network over time that a board computes frame by frame.

No layer pads over time, so its output for a frame does not change when later frames arrive. Training and
evaluation see whole windows; `tinyml convert` also writes the form that keeps earlier outputs and takes
only new frames (tinyml_cli/tflite/streaming.py). The idea is that of O. Rybakov et al., "Streaming Keyword
Spotting on Mobile Devices", arXiv:2005.06720.
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
    stem_kernel: int = 5,
    blocks: Sequence[Sequence[int]] = ((48, 9), (48, 9), (64, 9)),
    dropout: float = 0.2,
) -> keras.Model:
    """The network over a whole window, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        stem_filters: channels of the first convolution, over time and all bands.
        stem_kernel: its length in frames.
        blocks: (filters, kernel in frames) of each separable block.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to RESHAPE,
        CONV_2D, DEPTHWISE_CONV_2D, STRIDED_SLICE, ADD, AVERAGE_POOL_2D, FULLY_CONNECTED and SOFTMAX.

    Raises:
        ValueError: the window has fewer frames than the kernels span.
    """
    spanned = stem_kernel + sum(kernel - 1 for _, kernel in blocks)
    if input_shape[0] < spanned:
        raise ValueError(f"the kernels span {spanned} frames, but the window has {input_shape[0]}")
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(stem_filters, (stem_kernel, 1), use_bias=False, name="stem")(bands_as_channels(inputs))
    x = normalise(x, "stem")
    for index, (filters, kernel) in enumerate(blocks, start=1):
        x = _block(x, filters, kernel, f"block{index}")
    return keras.Model(inputs, classify(x, labels, dropout), name="stream_conv")


def _block(x: keras.KerasTensor, filters: int, kernel: int, name: str) -> keras.KerasTensor:
    y = layers.DepthwiseConv2D((kernel, 1), use_bias=False, name=f"{name}_depthwise")(x)
    y = normalise(y, f"{name}_depthwise", relu=False)
    if x.shape[-1] != filters:
        return convolve(y, filters, f"{name}_pointwise")
    y = convolve(y, filters, f"{name}_pointwise", relu=False)
    # The frames that the convolution's last taps lie on.
    newest = layers.Cropping2D(((kernel - 1, 0), (0, 0)), name=f"{name}_newest")(x)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([y, newest]))
