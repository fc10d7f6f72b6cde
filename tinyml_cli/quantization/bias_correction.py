"""Corrects biases for the mean error of rounded weights.

M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
arXiv:1906.04721, section 4.2, with means from calibration samples: rounding W to W' shifts a layer's output
by (W' - W) E[x] on average, which its bias can compensate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.quantization import histogram, weights
from tinyml_cli.quantization.float_graph import FloatGraph, FloatLayer


def correct(model: bytes, per_channel: bool, inputs: Sequence[npt.NDArray[Any]]) -> bytes:
    """The float32 flatbuffer with corrected biases; the mean of an input counts padding as its inside.

    Args:
        model: a float32 flatbuffer.
        per_channel: how its weights will be rounded.
        inputs: calibration samples, one array [n, ...] per model input.
    """
    graph = FloatGraph(model)
    means = histogram.channel_means(model, [layer.source for layer in graph.layers], inputs)
    for layer in graph.layers:
        error = layer.weights - weights.restored(layer, per_channel)
        shift = _mean_output(layer, error, means[layer.source])
        graph.set_bias(layer, (layer.bias + shift).astype(np.float32))
    return graph.pack()


def _mean_output(
    layer: FloatLayer, kernel: npt.NDArray[np.float32], mean: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """What a kernel gives per output channel for an input that has its mean everywhere."""
    if layer.operator.name == "FULLY_CONNECTED":
        answer: npt.NDArray[np.float64] = kernel.astype(np.float64) @ mean
        return answer
    summed = kernel.astype(np.float64).sum(axis=(1, 2))
    if not layer.is_depthwise:
        per_output: npt.NDArray[np.float64] = summed @ mean
        return per_output
    # Each input channel has `depth multiplier` consecutive output channels.
    repeated: npt.NDArray[np.float64] = summed[0] * np.repeat(mean, summed.shape[1] // len(mean))
    return repeated
