"""A network that gives a second of sound 64 numbers, by whose angles words can be compared.

The separable blocks are those of DS-CNN (arXiv:1711.07128); the last layers are linear, so that whitening
folds into them. It is trained as a classifier of many words by their cosine (H. Wang et al., "CosFace",
arXiv:1801.09414); words that it never heard can then be told apart by the numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from tinyml_cli.models.blocks import convolve, normalise

_LAST, _LAST_NORM = "embedding_pointwise", "embedding_pointwise_norm"


def build(
    input_shape: tuple[int, int, int],
    values: int = 64,
    stem_filters: int = 32,
    blocks: Sequence[Sequence[int]] = ((64, 2), (96, 1), (96, 1), (96, 1)),
) -> keras.Model:
    """The network, uncompiled: float32 [batch, frames, channels, 1] -> float32 [batch, values].

    Args:
        input_shape: (frames, channels, 1).
        values: of the embedding.
        stem_filters: channels of the first convolution, which halves time and frequency.
        blocks: (filters, stride) of each separable block; one that looks at nine frames follows them.
    """
    inputs = keras.Input(input_shape, name="features")
    x = layers.Conv2D(stem_filters, (10, 4), strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = normalise(x, "stem")
    for index, (filters, stride) in enumerate(blocks, start=1):
        x = convolve(_depthwise(x, (3, 3), stride, f"block{index}"), filters, f"block{index}_pointwise")
    x = convolve(_depthwise(x, (9, 3), 1, "long"), values, _LAST, relu=False)
    return keras.Model(inputs, _mean(x), name="word_embedding")


def _depthwise(x: Any, size: tuple[int, int], stride: int, name: str) -> Any:
    x = layers.DepthwiseConv2D(
        size, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    return normalise(x, f"{name}_depthwise")


def _mean(x: Any) -> Any:
    """Of a map; see `blocks.classify`."""
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    return layers.Flatten(name="embedding")(x)


def whitened(model: keras.Model, mean: NDArray[np.floating], matrix: NDArray[np.floating]) -> keras.Model:
    """The same network whose embedding is (embedding - mean) @ matrix, at no cost.

    Args:
        model: as of `build`.
        mean: [values].
        matrix: [values, new values].
    """
    last, norm = model.get_layer(_LAST), model.get_layer(_LAST_NORM)
    gamma, beta, moving_mean, variance = (np.asarray(each, np.float64) for each in norm.get_weights())
    gain = gamma / np.sqrt(variance + norm.epsilon)
    kernel = (np.asarray(last.get_weights()[0], np.float64) * gain) @ matrix
    bias = (beta - moving_mean * gain - mean) @ matrix
    replaced = layers.Conv2D(matrix.shape[1], 1, name=_LAST)
    changed = keras.Model(model.input, _mean(replaced(last.input)), name="word_embedding")
    replaced.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    return changed
