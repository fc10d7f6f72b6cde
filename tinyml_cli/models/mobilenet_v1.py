"""MobileNetV1: thirteen depthwise-separable blocks.

A. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv:1704.04861. With alpha 0.25 and 96 pixels it is the network of MLPerf Tiny's visual wake words.
"""

from __future__ import annotations

import keras

from tinyml_cli.models.blocks import classify
from tinyml_cli.models.separable import scaled, separable, stem

# (filters at alpha 1, stride) of each block: table 1 of the paper.
_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def build(
    input_shape: tuple[int, int, int], labels: int, alpha: float = 0.25, dropout: float = 0.0
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (rows, columns, channels).
        labels: outputs of the softmax.
        alpha: factor on the number of filters.
        dropout: share of features dropped before the classifier, in training.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1.
    """
    inputs = keras.Input(input_shape, name="image")
    x = stem(inputs, scaled(32, alpha))
    for index, (filters, stride) in enumerate(_BLOCKS, start=1):
        x = separable(x, scaled(filters, alpha), stride, f"block{index}")
    return keras.Model(inputs, classify(x, labels, dropout), name="mobilenet_v1")
