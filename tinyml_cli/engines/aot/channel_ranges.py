"""What values each channel of an int8 tensor can have, whatever the model's input is.

A channel is an index of the last dimension. The ranges follow from weights and biases alone (interval
arithmetic, layer by layer), rounded and clamped as the kernels do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.arithmetic import (
    ACTIVATIONS,
    INT8_MAX,
    INT8_MIN,
    Multiplier,
    activation_range,
    product_multipliers,
)
from tinyml_cli.engines.aot.fixed_point import rescale
from tinyml_cli.tflite.graph import Graph, Operator, Tensor

_LARGEST_SUM = (1 << 31) - 1
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_RENAMES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


@dataclass(frozen=True, eq=False)
class Ranges:
    """The lowest and the highest value of each channel, int64 [channels]."""

    lowest: npt.NDArray[np.int64]
    highest: npt.NDArray[np.int64]

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which channels have one value only."""
        same: npt.NDArray[np.bool_] = self.lowest == self.highest
        return same


@dataclass(frozen=True, eq=False)
class FilterLayer:
    """A CONV_2D without groups, a FULLY_CONNECTED, or a DEPTHWISE_CONV_2D with one filter for each channel.

    Attributes:
        axis: of the weights, along which their outputs lie.
        filters: int64 [outputs, taps, inputs]; one input for a depthwise layer.
        padded: whether windows may extend beyond the image.
    """

    source: Tensor
    target: Tensor
    weights: Tensor
    bias: Tensor | None
    axis: int
    filters: npt.NDArray[np.int64]
    padded: bool

    @property
    def biases(self) -> npt.NDArray[np.int64]:
        """Zeros where it has none."""
        if self.bias is None or self.bias.data is None:
            return np.zeros(len(self.filters), np.int64)
        return self.bias.data.reshape(-1).astype(np.int64)


def zero_point(tensor: Tensor) -> int:
    """Of an activation."""
    assert tensor.quantization is not None
    return int(tensor.quantization.zero_points[0])


def layer_of(graph: Graph, operator: Operator) -> FilterLayer | None:
    """The operator as a layer; None where it is none, or not as the kernels expect it."""
    source, weights, target = graph.input(operator, 0), graph.input(operator, 1), graph.output(operator)
    if operator.name not in _FILTERS or source is None or weights is None or target is None:
        return None
    if len(operator.outputs) != 1 or not (_is_activation(source) and _is_activation(target)):
        return None
    if weights.dtype != "int8" or weights.data is None or weights.quantization is None:
        return None
    found = _FILTERS[operator.name](weights.data.astype(np.int64), source, target)
    if found is None or np.any(weights.quantization.zero_points):
        return None
    axis, filters = found
    scales = weights.quantization
    if len(scales.scales) not in (1, len(filters)) or (scales.per_channel and scales.axis != axis):
        return None
    bias = graph.input(operator, 2)
    if bias is not None and (bias.data is None or bias.dtype != "int32" or bias.elements != len(filters)):
        return None
    padded = filters.shape[1] > 1 and operator.options.get("padding") != "VALID"
    return FilterLayer(source, target, weights, bias, axis, filters, padded)


def is_channelwise(graph: Graph, operator: Operator) -> bool:
    """Whether each channel of the only output depends on the same channel of the first input alone."""
    source, target = graph.input(operator, 0), graph.output(operator)
    if source is None or target is None or len(operator.outputs) != 1:
        return False
    if not (_is_activation(source) and _is_activation(target)) or source.shape[-1] != target.shape[-1]:
        return False
    if operator.name in _POOLS:
        return True
    if operator.name in _RENAMES:
        return source.elements == target.elements
    return operator.name == "DEPTHWISE_CONV_2D" and layer_of(graph, operator) is not None


def channel_ranges(graph: Graph) -> dict[int, Ranges]:
    """The ranges of the tensors, by index, of which more is known than their type and activation."""
    found: dict[int, Ranges] = {}
    for operator in graph.operators:
        ranges = None
        if layer := layer_of(graph, operator):
            ranges = _after_layer(layer, operator, found.get(layer.source.index))
        elif is_channelwise(graph, operator) and operator.inputs[0] in found:
            ranges = found[operator.inputs[0]]
            if operator.name in _POOLS:
                limits = _limits(operator, graph.tensors[operator.outputs[0]])
                ranges = Ranges(*(np.clip(each, *limits) for each in (ranges.lowest, ranges.highest)))
        if ranges is not None:
            found[operator.outputs[0]] = ranges
    return found


def _is_activation(tensor: Tensor) -> bool:
    scales = tensor.quantization
    return (
        tensor.dtype == "int8"
        and tensor.data is None
        and not tensor.variable
        and len(tensor.shape) > 0
        and tensor.elements > 0
        and scales is not None
        and not scales.per_channel
        and bool(scales.scales[0] > 0)
        and INT8_MIN <= int(scales.zero_points[0]) <= INT8_MAX
    )


def _convolution(weights: npt.NDArray[np.int64], source: Tensor, target: Tensor) -> Any:
    shape = weights.shape
    if len(shape) != 4 or (shape[3], shape[0]) != (source.shape[-1], target.shape[-1]):
        return None
    return 0, weights.reshape(shape[0], -1, shape[3])


def _depthwise(weights: npt.NDArray[np.int64], source: Tensor, target: Tensor) -> Any:
    channels = source.shape[-1]
    if len(weights.shape) != 4 or weights.shape[0] != 1 or {weights.shape[3], target.shape[-1]} != {channels}:
        return None
    return 3, weights.reshape(-1, channels).T[:, :, np.newaxis]


def _dense(weights: npt.NDArray[np.int64], source: Tensor, target: Tensor) -> Any:
    if len(weights.shape) != 2 or (weights.shape[1], weights.shape[0]) != (
        source.shape[-1],
        target.shape[-1],
    ):
        return None
    return 0, weights[:, np.newaxis, :]


_FILTERS = {"CONV_2D": _convolution, "DEPTHWISE_CONV_2D": _depthwise, "FULLY_CONNECTED": _dense}


def _limits(operator: Operator, target: Tensor) -> tuple[int, int]:
    """Of the fused activation."""
    name = operator.options.get("fused_activation_function")
    if name not in ACTIVATIONS or target.quantization is None:
        return INT8_MIN, INT8_MAX
    try:
        return activation_range(name, np.float32(target.quantization.scales[0]), zero_point(target))
    except ValueError:
        return INT8_MIN, INT8_MAX


def _after_layer(layer: FilterLayer, operator: Operator, given: Ranges | None) -> Ranges | None:
    zero, channels = zero_point(layer.source), layer.source.shape[-1]
    low = np.full(channels, INT8_MIN) if given is None else given.lowest
    high = np.full(channels, INT8_MAX) if given is None else given.highest
    if layer.padded:
        low, high = np.minimum(low, zero), np.maximum(high, zero)
    # [outputs or 1, 1, inputs of a filter]
    shape = (-1, 1, 1) if layer.axis == 3 else (1, 1, -1)
    products = (layer.filters * (low - zero).reshape(shape), layer.filters * (high - zero).reshape(shape))
    lowest = np.minimum(*products).sum(axis=(1, 2)) + layer.biases
    highest = np.maximum(*products).sum(axis=(1, 2)) + layer.biases
    assert layer.source.quantization and layer.target.quantization and layer.weights.quantization
    scales = layer.weights.quantization.scales
    scales = scales if len(scales) == len(lowest) else scales.repeat(len(lowest))
    try:
        multipliers = product_multipliers(
            layer.source.quantization.scales[0], scales, layer.target.quantization.scales[0]
        )
    except (ValueError, OverflowError):
        return None
    limits, offset = _limits(operator, layer.target), zero_point(layer.target)
    bounds = [
        _output_bounds(int(least), int(most), multiplier, offset, limits)
        for least, most, multiplier in zip(lowest, highest, multipliers, strict=True)
    ]
    return Ranges(*np.array(bounds, np.int64).T)


def _output_bounds(
    lowest: int, highest: int, multiplier: Multiplier, offset: int, limits: tuple[int, int]
) -> tuple[int, int]:
    if max(-lowest, highest) << max(multiplier.shift, 0) > _LARGEST_SUM:
        return limits  # a sum might wrap around
    low, high = (
        min(max(rescale(value, multiplier) + offset, limits[0]), limits[1]) for value in (lowest, highest)
    )
    return low, high
