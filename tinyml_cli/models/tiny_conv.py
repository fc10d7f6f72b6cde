"""tiny_conv: one convolution and a dense layer, the network of TensorFlow's micro_speech example.

T. Sainath and C. Parada, "Convolutional Neural Networks for Small-footprint Keyword Spotting", Interspeech
2015, whose smallest network it simplifies.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    filters: int = 8,
    kernel: Sequence[int] = (10, 8),
    stride: int = 2,
    dropout: float = 0.5,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (frames, channels, 1).
        labels: outputs of the softmax.
        filters: channels of the convolution.
        kernel: its size in frames and channels.
        stride: its step in both directions.
        dropout: share of its outputs dropped in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1. It converts to CONV_2D,
        RESHAPE, FULLY_CONNECTED and SOFTMAX.
    """
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(
        filters, tuple(kernel), strides=stride, padding="same", activation="relu", name="convolution"
    )(inputs)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(labels, activation="softmax", name="scores")(x)
    return keras.Model(inputs, outputs, name="tiny_conv")
