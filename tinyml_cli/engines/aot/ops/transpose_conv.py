"""TRANSPOSE_CONV as one packed convolution for each phase of the stride, or over a plain kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    channel_constants,
    read,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing
from tinyml_cli.engines.aot.ops.convolution import channel_multipliers, convolution_scratch_bytes
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

# Each takes some hundred bytes of flash; a plain kernel takes over beyond.
_MOST_PHASES = 64


def transpose_conv(context: OpContext) -> Kernel:
    """TRANSPOSE_CONV; weights are [output channels, height, width, input channels]."""
    source, target, weights = context.activation(2), context.output(), context.weights()
    _, height, width, channels = context.image(source)
    _, output_height, output_width, outputs = context.image(target)
    if len(weights.shape) != 4 or weights.shape[::3] != (outputs, channels) or weights.data is None:
        context.refuse(
            f"has weights {list(weights.shape)} for {counted(channels, 'input channel')} "
            f"and {counted(outputs, 'output channel')}",
            "Convert the model again.",
        )
    window = weights.shape[1:3]
    padding = paddings(context, source, target, window)
    stride, sides = sides_of(context, source, target, window)
    if kernel := _packed(context, weights, stride, sides):
        return kernel
    lowest, highest = context.clamp_range(target)
    body = f"""\
static const tinyml_nn_transpose_conv_params params = {{
    .input_height = {height}, .input_width = {width}, .input_channels = {channels},
    .window_height = {window[0]}, .window_width = {window[1]},
    .output_height = {output_height}, .output_width = {output_width}, .output_channels = {outputs},
    .stride_y = {stride[0]}, .stride_x = {stride[1]},
    .padding_y = {padding[0]}, .padding_x = {padding[1]},
    .input_offset = {-zero_point_of(source)}, .output_offset = {zero_point_of(target)},
    .lowest = {lowest}, .highest = {highest},
    .weights = {context.array("weights")}, .bias = {context.array("bias")},
    .multipliers = {context.array("multipliers")}, .shifts = {context.array("shifts")}}};
tinyml_nn_transpose_conv_s8(&params, {read(source)}, {write(target)});
return 0;"""
    constants = (
        Constant("weights", weights.data),
        Constant("bias", context.bias(outputs, position=3)),
        *channel_constants(channel_multipliers(context, source, target, weights, axis=0)),
    )
    return Kernel(body, constants)


def _stride(context: OpContext) -> tuple[int, int]:
    return context.option("stride_h"), context.option("stride_w")


def paddings(context: OpContext, source: Tensor, target: Tensor, window: tuple[int, ...]) -> list[int]:
    """Lines of the first window before the output, down and across."""
    return [
        _padding(context, target.shape[axis + 1], window[axis], stride, source.shape[axis + 1])
        for axis, stride in enumerate(_stride(context))
    ]


def sides_of(
    context: OpContext, source: Tensor, target: Tensor, window: tuple[int, ...]
) -> tuple[tuple[int, int], list[list[Phase]]]:
    """The stride and the phases down and across."""
    stride = _stride(context)
    before = paddings(context, source, target, window)
    return stride, [
        _phases(target.shape[axis + 1], window[axis], stride[axis], before[axis]) for axis in (0, 1)
    ]


def _padding(context: OpContext, output: int, window: int, stride: int, given: int) -> int:
    """Lines of the first window before the output: what a convolution from `output` to `given` would have."""
    if min(window, stride) < 1:
        context.refuse("has a window or stride of size 0", "Convert the model again.")
    valid = context.option("padding") == "VALID"
    expected = (output - window) // stride + 1 if valid else -(-output // stride)
    if expected != given:
        context.refuse(
            f"spreads {counted(given, 'line')} over {output} with a stride of {stride}",
            "Convert the model again.",
        )
    return 0 if valid else max((given - 1) * stride + window - output, 0) // 2


@dataclass(frozen=True)
class Phase:
    """Along one direction, the outputs first, first + stride, ... as a convolution of stride 1.

    Attributes:
        count: how many there are.
        taps: lines of the weights in the order of the input's lines; none where the window is smaller than
            the stride.
        padding: before the first line of the input; may be negative.
    """

    first: int
    count: int
    taps: tuple[int, ...]
    padding: int


def _phases(output: int, window: int, stride: int, padding: int) -> list[Phase]:
    """Output line y and input line l meet at line i of the weights where y + padding = l * stride + i."""
    found = []
    for first in range(min(stride, output)):
        line, tap = divmod(first + padding, stride)
        taps = tuple(range(tap, window, stride))[::-1]
        found.append(Phase(first, -(-(output - first) // stride), taps, len(taps) - 1 - line))
    return found


def _packed(
    context: OpContext, weights: Tensor, stride: tuple[int, int], sides: list[list[Phase]]
) -> Kernel | None:
    """One call of the packed convolution for each pair of phases, when its conditions hold."""
    source, target = context.activation(2), context.output()
    assert weights.data is not None
    if math.prod(map(len, sides)) > _MOST_PHASES:
        return None
    outputs, zero_points = weights.shape[0], (zero_point_of(source), zero_point_of(target))
    multipliers = channel_multipliers(context, source, target, weights, axis=0)
    bias = context.bias(outputs, position=3)
    calls, constants, scratch_bytes = "", [], 0
    for number, (down, across) in enumerate(product(*sides)):
        # A window of a zero stands for one without taps.
        shape = max(len(down.taps), 1), max(len(across.taps), 1)
        filters = np.zeros((outputs, *shape, weights.shape[3]), np.int8)
        if down.taps and across.taps:
            filters[:] = weights.data[:, list(down.taps)][:, :, list(across.taps)]
        flat = packing.gathered(filters.reshape(outputs, -1), shape[0])
        layer = packing.layer(flat, bias, multipliers, zero_points, shared_lanes=True, shared_sums=True)
        if layer is None:
            return None
        line = convolution_scratch_bytes(layer.weights.shape[1])
        scratch_bytes = max(scratch_bytes, line + across.count * outputs)
        constants.append(Constant(f"weights_{number}", packing.pairs(layer.weights)))
        constants.append(Constant(f"channels_{number}", packing.paired_channels(layer.channels)))
        calls += f"""\
static const tinyml_nn_transpose_conv_phase phase_{number} = {{
    .window = {{.input_height = {source.shape[1]}, .input_width = {source.shape[2]},
               .input_channels = {source.shape[3]},
               .window_height = {shape[0]}, .window_width = {shape[1]}, .stride_y = 1, .stride_x = 1,
               .dilation_y = 1, .dilation_x = 1, .padding_y = {down.padding}, .padding_x = {across.padding},
               .output_height = 1, .output_width = {across.count}, .output_channels = {outputs},
               .input_zero_point = {zero_points[0]}, .output_zero_point = {zero_points[1]},
               .activation = {context.clamp(target)}}},
    .rows = {down.count}, .first_row = {down.first}, .first_column = {across.first},
    .stride_y = {stride[0]}, .stride_x = {stride[1]}, .output_width = {target.shape[2]}, .line = {line}}};
tinyml_nn_transpose_conv_phase_s8(&phase_{number}, {read(source)}, {context.array(f"weights_{number}")},
    {context.array(f"channels_{number}")}, arena + {context.scratch_name}, {write(target)});
"""
    return Kernel(calls + "return 0;", tuple(constants), scratch_bytes)
