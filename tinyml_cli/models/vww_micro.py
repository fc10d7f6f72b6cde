"""A separable network for images that leaves room for a second model: at 96 pixels under 100 kB and 60 kB."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from tinyml_cli.models.blocks import classify
from tinyml_cli.models.separable import scaled, separable, stem


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    alpha: float = 1.0,
    dropout: float = 0.0,
    stem_filters: int = 8,
    blocks: Sequence[Sequence[int]] = (
        (8, 1), (24, 2), (32, 1), (48, 2), (48, 1), (64, 2), (64, 1), (64, 1), (96, 2), (96, 1),
    ),
) -> keras.Model:  # fmt: skip
    """The network, uncompiled.

    Args:
        input_shape: (rows, columns, channels).
        labels: outputs of the softmax.
        alpha: factor on the number of filters.
        dropout: share of features dropped before the classifier, in training.
        stem_filters: of the first convolution, which halves the image.
        blocks: (filters, stride) of each depthwise-separable block; a map too small to be halved is not.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1.
    """
    inputs = keras.Input(input_shape, name="image")
    x = stem(inputs, scaled(stem_filters, alpha))
    for index, (filters, stride) in enumerate(blocks, start=1):
        x = separable(x, scaled(filters, alpha), stride, f"block{index}")
    return keras.Model(inputs, classify(x, labels, dropout), name="vww_micro")
