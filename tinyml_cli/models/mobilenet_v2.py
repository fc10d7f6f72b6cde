"""MobileNetV2: inverted residuals with linear bottlenecks, with a narrower start to fit a microcontroller.

M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.
"""

from __future__ import annotations

import keras
from keras import layers

from tinyml_cli.models.blocks import classify
from tinyml_cli.models.separable import convolve, depthwise, scaled, stem

# (expansion, filters at alpha 1, blocks, stride of the first): table 2 of the paper, but for the second row,
# which expands by 4 instead of 6: at 96 pixels and alpha 0.35 its map is the largest of the network.
_STAGES = (
    (1, 16, 1, 1), (4, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 2, 2),
)  # fmt: skip


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    alpha: float = 0.35,
    dropout: float = 0.0,
    last_filters: int = 256,
) -> keras.Model:
    """The network, uncompiled.

    Args:
        input_shape: (rows, columns, channels).
        labels: outputs of the softmax.
        alpha: factor on the number of filters.
        dropout: share of features dropped before the classifier, in training.
        last_filters: of the last 1x1 convolution (1280 in the paper).

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels], rows sum to 1.
    """
    inputs = keras.Input(input_shape, name="image")
    x = stem(inputs, scaled(32, alpha))
    for number, (expansion, filters, blocks, stride) in enumerate(_STAGES, start=1):
        for block in range(blocks):
            name = f"stage{number}_{block + 1}"
            x = _bottleneck(x, expansion, scaled(filters, alpha), stride if block == 0 else 1, name)
    x = convolve(x, last_filters, "last")
    return keras.Model(inputs, classify(x, labels, dropout), name="mobilenet_v2")


def _bottleneck(
    x: keras.KerasTensor, expansion: int, filters: int, stride: int, name: str
) -> keras.KerasTensor:
    entry = x
    if expansion > 1:
        x = convolve(x, expansion * entry.shape[-1], f"{name}_expand")
    x = depthwise(x, stride, f"{name}_depthwise")
    x = convolve(x, filters, f"{name}_project", relu=False)
    return layers.Add(name=f"{name}_add")([entry, x]) if x.shape == entry.shape else x
