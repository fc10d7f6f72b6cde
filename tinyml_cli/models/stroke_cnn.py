"""A network for pictures of strokes: three strided convolutions, as in the course's magic wand."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tinyml_cli.models.blocks import classify


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    filters: Sequence[int] = (16, 32, 48),
    dropout: float = 0.3,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (rows, columns, channels).
        labels: outputs of the softmax.
        filters: of each convolution 3 x 3, which halves rows and columns.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1.
    """
    x = inputs = keras.Input(input_shape, name="stroke")
    for index, count in enumerate(filters, start=1):
        name = f"conv{index}"
        x = layers.Conv2D(count, 3, strides=2, padding="same", use_bias=False, name=name)(x)
        x = layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))
    return keras.Model(inputs, classify(x, labels, dropout), name="stroke_cnn")
