"""Removes channels that have the same value for every input, with all that computes and reads them.

Training with ReLU leaves many dead filters, pruning leaves some: they are half of `vww_96_int8`. What a later
layer makes of such a value is a constant, which is added to its bias. All other values stay, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.channel_ranges import (
    FilterLayer,
    Ranges,
    channel_ranges,
    is_channelwise,
    layer_of,
    zero_point,
)
from tinyml_cli.tflite.graph import Graph, Operator, QuantizationParameters, Tensor

_MULTIPLE = 4
"""The kernels work on four channels at a time: others cost as much as four."""

_Kept = npt.NDArray[np.intp]


def without_constant_channels(graph: Graph) -> Graph:
    """The graph without them; operators and the tensors that they make keep their indices."""
    ranges = channel_ranges(graph)
    for position in range(len(graph.operators)):
        operator = graph.operators[position]
        if operator.name == "DEPTHWISE_CONV_2D" or layer_of(graph, operator) is None:
            continue
        readers = _readers(graph, operator.outputs[0])
        if readers is None:
            continue
        between, last = readers
        kept = _kept(graph, last, ranges)
        biases = None if kept is None else _folded(graph, last, ranges, kept)
        if kept is None or biases is None:
            continue
        for number in reversed((position, *between)):  # while what each reads is still whole
            graph = _without_outputs(graph, number, kept)
        for number, bias in zip(last, biases, strict=True):
            graph = _without_inputs(graph, number, kept, bias)
    return graph


def _readers(graph: Graph, tensor: int) -> tuple[list[int], list[int]] | None:
    """Positions of the operators behind a tensor that pass its channels on, and of the layers that mix them.

    None where its channels go elsewhere too.
    """
    between: list[int] = []
    last: list[int] = []
    waiting = [tensor]
    while waiting:
        index = waiting.pop()
        reading = [each for each, operator in enumerate(graph.operators) if index in operator.inputs]
        if index in graph.outputs or not reading:
            return None
        for number in reading:
            operator = graph.operators[number]
            if operator.inputs[0] != index or operator.inputs.count(index) > 1:
                return None
            if is_channelwise(graph, operator):
                between.append(number)
                waiting.append(operator.outputs[0])
            elif layer_of(graph, operator) is not None:
                last.append(number)
            else:
                return None
    return between, last


def _kept(graph: Graph, last: Sequence[int], ranges: dict[int, Ranges]) -> _Kept | None:
    """The channels that the layers at positions `last` need; None where they need all."""
    needed: npt.NDArray[np.bool_] | None = None
    for layer in _layers(graph, last):
        known = ranges.get(layer.source.index)
        if known is None:
            return None
        removable = known.constant
        if layer.padded:  # beyond the image is the zero point
            removable = removable & (known.lowest == zero_point(layer.source))
        needed = ~removable if needed is None else needed | ~removable
    if needed is None:
        return None
    for channel in np.flatnonzero(~needed):
        if needed.any() and np.count_nonzero(needed) % _MULTIPLE == 0:
            break
        needed[channel] = True
    return None if needed.all() else np.flatnonzero(needed)


def _folded(
    graph: Graph, last: Sequence[int], ranges: dict[int, Ranges], kept: _Kept
) -> list[npt.NDArray[np.int32] | None] | None:
    """The new bias of each layer, None where it stays; None altogether where one cannot be expressed."""
    biases: list[npt.NDArray[np.int32] | None] = []
    for layer in _layers(graph, last):
        values = ranges[layer.source.index].lowest - zero_point(layer.source)
        values[kept] = 0
        added = (layer.filters * values).sum(axis=(1, 2))
        if not np.any(added):
            biases.append(None)
            continue
        bias = layer.biases + added
        limits = np.iinfo(np.int32)
        if layer.bias is None or bias.min() < limits.min or bias.max() > limits.max:
            return None
        biases.append(bias.astype(np.int32))
    return biases


def _layers(graph: Graph, positions: Sequence[int]) -> list[FilterLayer]:
    layers = [layer_of(graph, graph.operators[position]) for position in positions]
    return [layer for layer in layers if layer is not None]


def _without_outputs(graph: Graph, position: int, kept: _Kept) -> Graph:
    """Keeps some channels of what an operator makes."""
    operator = graph.operators[position]
    if layer := layer_of(graph, operator):
        graph = _with_constant(graph, position, 1, _taken(layer.weights, layer.axis, kept))
        if layer.bias is not None:
            bias = replace(layer.bias, shape=(layer.bias.elements,))
            assert bias.data is not None
            flat = replace(bias, data=bias.data.reshape(-1))
            graph = _with_constant(graph, position, 2, _taken(flat, 0, kept))
    target = graph.tensors[operator.outputs[0]]
    tensors = list(graph.tensors)
    tensors[target.index] = replace(target, shape=(*target.shape[:-1], len(kept)))
    return replace(graph, tensors=tuple(tensors))


def _without_inputs(graph: Graph, position: int, kept: _Kept, bias: npt.NDArray[np.int32] | None) -> Graph:
    """Keeps some input channels of a layer's weights, and gives it a new bias."""
    operator = graph.operators[position]
    weights, old = graph.input(operator, 1), graph.input(operator, 2)
    assert weights is not None
    graph = _with_constant(graph, position, 1, _taken(weights, len(weights.shape) - 1, kept))
    if bias is not None and old is not None:
        graph = _with_constant(graph, position, 2, replace(old, data=bias.reshape(old.shape)))
    return graph


def _taken(tensor: Tensor, axis: int, kept: _Kept) -> Tensor:
    """Some slices of a constant along an axis."""
    assert tensor.data is not None
    data = np.take(tensor.data, kept, axis)
    scales = tensor.quantization
    if scales is not None and scales.per_channel and scales.axis == axis:
        zeros = scales.zero_points
        scales = QuantizationParameters(
            scales.scales[kept], zeros[kept] if len(zeros) > 1 else zeros, scales.axis
        )
    return replace(tensor, data=data, shape=data.shape, quantization=scales)


def _with_constant(graph: Graph, position: int, place: int, constant: Tensor) -> Graph:
    """Another constant at an input of one operator; others may read the old one."""
    index, operator = len(graph.tensors), graph.operators[position]
    inputs = (*operator.inputs[:place], index, *operator.inputs[place + 1 :])
    operators: list[Operator] = list(graph.operators)
    operators[position] = replace(operator, inputs=inputs)
    return replace(
        graph, tensors=(*graph.tensors, replace(constant, index=index)), operators=tuple(operators)
    )
