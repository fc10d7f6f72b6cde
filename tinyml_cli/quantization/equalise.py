"""Moves scale between consecutive layers until their channels use the int8 range evenly.

M. Nagel et al., arXiv:1906.04721, section 4.1: ReLU(s x) = s ReLU(x) for s > 0, so the output channel i of
one layer may be divided by s_i if the next multiplies its input channel i by s_i. With
s_i = sqrt(r1_i r2_i) / r2_i, r the largest weight of the channel in either layer, both get the same range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.quantization.float_graph import FloatGraph, FloatLayer

_SWEEPS = 40
_CONVERGED = 1e-4
# Keep positive scaling of channels, and the channel's place.
_TRANSPARENT = ("AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "RESHAPE", "RELU", "PAD")
_HOMOGENEOUS = ("NONE", "RELU")

Channels = npt.NDArray[np.float64]


@dataclass
class _LayerPair:
    """Two layers, by place in the graph's list; the first one's channels reach the second unmixed."""

    first: int
    second: int


def equalise(model: bytes) -> tuple[bytes, int]:
    """The float32 flatbuffer with equalised weights, which computes the same; and how many pairs it had.

    Layers followed by ReLU6 or another bend that is not at zero are left alone, and so is a layer whose
    output is read twice.
    """
    graph = FloatGraph(model)
    pairs = _pairs(graph)
    weights = [layer.weights.astype(np.float64) for layer in graph.layers]
    biases = [layer.bias.astype(np.float64) for layer in graph.layers]
    for _ in range(_SWEEPS):
        largest = 0.0
        for pair in pairs:
            first, second = graph.layers[pair.first], graph.layers[pair.second]
            scale = _scale(
                _output_range(first, weights[pair.first]),
                _input_range(second, weights[pair.second], len(biases[pair.first])),
            )
            weights[pair.first] /= _along(scale, first.axis, weights[pair.first].ndim)
            biases[pair.first] /= scale
            _scale_inputs(second, weights[pair.second], scale)
            largest = max(largest, float(np.abs(scale - 1).max()))
        if largest < _CONVERGED:
            break
    for layer, kernel, bias in zip(graph.layers, weights, biases, strict=True):
        graph.set_weights(layer, kernel.astype(np.float32))
        graph.set_bias(layer, bias.astype(np.float32))
    return graph.pack(), len(pairs)


def _pairs(graph: FloatGraph) -> list[_LayerPair]:
    readers: dict[int, list[int]] = {}
    for operator in graph.graph.operators:
        for index in operator.inputs:
            readers.setdefault(index, []).append(operator.index)
    places = {layer.operator.index: place for place, layer in enumerate(graph.layers)}
    pairs = []
    for place, layer in enumerate(graph.layers):
        if layer.operator.options.get("fused_activation_function", "NONE") not in _HOMOGENEOUS:
            continue
        tensor = layer.target
        while tensor not in graph.graph.outputs and len(readers.get(tensor, ())) == 1:
            operator = graph.graph.operators[readers[tensor][0]]
            next_place = places.get(operator.index)
            if next_place is not None and operator.inputs[0] == tensor:
                if _fits(layer, graph.layers[next_place]):
                    pairs.append(_LayerPair(place, next_place))
                break
            if operator.name not in _TRANSPARENT or not _keeps_channels(
                graph, operator.inputs[0], operator.outputs[0]
            ):
                break
            tensor = operator.outputs[0]
    return pairs


def _keeps_channels(graph: FloatGraph, source: int, target: int) -> bool:
    """Whether the last axis is still the channel, or was flattened behind the others."""
    before, after = graph.graph.tensors[source].shape, graph.graph.tensors[target].shape
    return bool(before[-1] == after[-1] or (len(after) == 2 and after[-1] % before[-1] == 0))


def _fits(first: FloatLayer, second: FloatLayer) -> bool:
    """Whether the second layer reads the channels of the first one by one."""
    channels = len(first.bias)
    if second.is_depthwise:
        return bool(second.weights.shape[3] == channels)
    inputs = second.weights.shape[-1]
    return bool(inputs == channels or (second.operator.name == "FULLY_CONNECTED" and inputs % channels == 0))


def _output_range(layer: FloatLayer, weights: npt.NDArray[np.float64]) -> Channels:
    others = tuple(axis for axis in range(weights.ndim) if axis != layer.axis)
    largest: Channels = np.abs(weights).max(axis=others)
    return largest


def _input_range(layer: FloatLayer, weights: npt.NDArray[np.float64], channels: int) -> Channels:
    """Largest weight of each input channel; of a flattened input, over all its places."""
    if layer.is_depthwise:
        return _output_range(layer, weights)
    largest: Channels = np.abs(weights).reshape(-1, channels).max(axis=0)
    return largest


def _scale_inputs(layer: FloatLayer, weights: npt.NDArray[np.float64], scale: Channels) -> None:
    """Multiplies the weights of each input channel, in place."""
    if layer.is_depthwise:
        weights *= scale
    else:
        weights *= np.resize(scale, weights.shape[-1])


def _scale(first: Channels, second: Channels) -> Channels:
    """s_i = sqrt(r1_i r2_i) / r2_i; 1 for a channel that one of the layers does not use."""
    used = (first > 0) & (second > 0)
    ratio = np.divide(first, second, out=np.ones_like(first), where=used)
    return np.sqrt(ratio)


def _along(values: Channels, axis: int, dimensions: int) -> Channels:
    shape = [1] * dimensions
    shape[axis] = -1
    return values.reshape(shape)
