"""int8 weights as TensorFlow's converter rounds them."""

from __future__ import annotations

import numpy as np

from tinyml_cli.quantization.float_graph import FloatArray, FloatLayer

_LARGEST = 127  # narrow range: -128 is not used, so that zero is in the middle


def is_per_channel(layer: FloatLayer, per_channel: bool) -> bool:
    """Whether a layer's weights get a scale per output channel; those of Dense layers never do."""
    return per_channel and layer.operator.name != "FULLY_CONNECTED"


def restored(layer: FloatLayer, per_channel: bool) -> FloatArray:
    """The layer's weights after rounding to int8 and back, float32 of the same shape."""
    weights = layer.weights
    if is_per_channel(layer, per_channel):
        others = tuple(axis for axis in range(weights.ndim) if axis != layer.axis)
        largest = np.abs(weights).max(axis=others, keepdims=True)
    else:
        largest = np.abs(weights).max(keepdims=True)
    scale = np.where(largest > 0, largest, 1.0) / np.float32(_LARGEST)
    return (np.round(weights / scale) * scale).astype(np.float32)
