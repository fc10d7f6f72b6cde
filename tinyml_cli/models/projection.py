"""A linear map as a network: whitened principal components, in which clusters are spherical."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray


def build(matrix: NDArray[np.floating], bias: NDArray[np.floating]) -> keras.Model:
    """One dense layer.

    Args:
        matrix: [values, dimensions].
        bias: [dimensions].

    Returns:
        float32 [batch, values] -> float32 [batch, dimensions].
    """
    inputs = keras.Input((matrix.shape[0],), name="features")
    layer = layers.Dense(matrix.shape[1], name="components")
    model = keras.Model(inputs, layer(inputs), name="projection")
    layer.set_weights([matrix.astype(np.float32), bias.astype(np.float32)])
    return model
