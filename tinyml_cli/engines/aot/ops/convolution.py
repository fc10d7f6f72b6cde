"""CONV_2D and DEPTHWISE_CONV_2D over our own kernels, or over CMSIS-NN if those do not apply.

The compiler chooses CMSIS-NN's specialised function itself, by the conditions of its `*_wrapper_s8`
functions for cores without MVE: the wrappers would link every variant into the firmware.
Scratch sizes are those of the DSP path (Cortex-M4, M7, M33); the plain C path needs no more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    Overlap,
    channel_constants,
    dims,
    read,
    same_padding,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing
from tinyml_cli.engines.aot.overlap import Sweep, raster_lead, row_pair_lead
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_INT16_BYTES = 2
# arm_convolve_s8 gathers two columns of a window before it multiplies.
_COLUMNS = 2
# CMSIS-NN counts the elements of a window in a uint16_t.
_LONGEST_WINDOW = 0xFFFF
# Our kernels: columns.h and depthwise_3x3_s8.c.
_WINDOWS, _QUAD, _WORD_BYTES = 3, 4, 4
_LANES, _ROW_PAIRS, _TAPS = 4, 2, 3


class _Window(NamedTuple):
    """Geometry of the sliding window, (height, width) each."""

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]


def conv_2d(context: OpContext) -> Kernel:
    """CONV_2D; weights are [output channels, height, width, input channels]."""
    source, target, weights = context.activation(), context.output(), context.weights()
    channels = context.image(source)[3]
    if (
        len(weights.shape) != 4
        or weights.shape[3] != channels
        or weights.shape[0] != context.image(target)[3]
    ):
        context.refuse(
            f"has weights {list(weights.shape)} for {counted(channels, 'input channel')}", "Use groups=1."
        )
    window = _window(context, source, target, weights.shape[1:3])
    elements = window.size[0] * window.size[1] * channels
    if elements > _LONGEST_WINDOW:
        context.refuse(
            f"has a window of {counted(elements, 'value')} (at most {_LONGEST_WINDOW})",
            "Use a smaller window.",
        )
    assert weights.data is not None
    filters = weights.data.reshape(weights.shape[0], -1)
    if kernel := _packed_convolution(context, window, filters, axis=0):
        return kernel
    function, scratch_bytes = "arm_convolve_s8", _COLUMNS * elements * _INT16_BYTES
    if window.size == (1, 1) and window.padding == (0, 0):
        function = "arm_convolve_1x1_s8_fast" if window.stride == (1, 1) else "arm_convolve_1x1_s8"
        scratch_bytes = 0
    filter_dims = dims(weights.shape[0], *window.size, channels)
    body = _call(context, function, "cmsis_nn_conv_params", "", window, filter_dims, scratch_bytes)
    return Kernel(body, _constants(context, source, target, weights, axis=0), scratch_bytes)


def depthwise_conv_2d(context: OpContext) -> Kernel:
    """DEPTHWISE_CONV_2D; weights are [1, height, width, output channels]."""
    source, target, weights = context.activation(), context.output(), context.weights()
    channels, outputs = context.image(source)[3], context.image(target)[3]
    if len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[3] != outputs or outputs % channels:
        context.refuse(
            f"has weights {list(weights.shape)} for {counted(channels, 'input channel')}",
            "Convert the model again.",
        )
    window = _window(context, source, target, weights.shape[1:3])
    assert weights.data is not None
    # One input channel: every output looks at the same window, as in CONV_2D.
    filters = np.ascontiguousarray(weights.data.reshape(-1, outputs).T)
    if channels == 1 and (kernel := _packed_convolution(context, window, filters, axis=3)):
        return kernel
    if outputs == channels and (kernel := _packed_depthwise(context, window, filters)):
        return kernel
    function, scratch_bytes = "arm_depthwise_conv_s8", 0
    if outputs == channels and window.dilation == (1, 1):
        if window.size == (3, 3) and max(window.padding) <= 1:
            function = "arm_depthwise_conv_3x3_s8"
        else:
            function = "arm_depthwise_conv_s8_opt"
            scratch_bytes = channels * window.size[0] * window.size[1] * _INT16_BYTES
    multiple = f" .ch_mult = {outputs // channels},"
    filter_dims = dims(1, *window.size, outputs)
    body = _call(context, function, "cmsis_nn_dw_conv_params", multiple, window, filter_dims, scratch_bytes)
    return Kernel(body, _constants(context, source, target, weights, axis=3), scratch_bytes)


def convolution_scratch_bytes(elements: int) -> int:
    """Working memory of tinyml_nn_convolve_s8 for windows of so many values, a multiple of 4."""
    # A row's last values are copied in whole quads, so up to one quad too far.
    return _column_bytes(elements) + -(-elements // _QUAD) * _QUAD


def _column_bytes(elements: int) -> int:
    """Three windows as int16."""
    return -(-elements // _QUAD) * _WINDOWS * 2 * _WORD_BYTES


def channel_multipliers(
    context: OpContext, source: Tensor, target: Tensor, weights: Tensor, axis: int
) -> list[arithmetic.Multiplier]:
    """Input scale * weight scale / output scale for each index of the weights along `axis`."""
    assert weights.quantization is not None
    scales = weights.quantization.scales
    if weights.quantization.per_channel and weights.quantization.axis != axis:
        context.refuse(
            f"has weights with scales along axis {weights.quantization.axis}", "Convert the model again."
        )
    scales = scales if len(scales) == weights.shape[axis] else scales.repeat(weights.shape[axis])
    return arithmetic.product_multipliers(scale_of(source), scales, scale_of(target))


def _window(context: OpContext, source: Tensor, target: Tensor, size: tuple[int, ...]) -> _Window:
    stride = (context.option("stride_h"), context.option("stride_w"))
    dilation = (context.option("dilation_h_factor"), context.option("dilation_w_factor"))
    vertical, horizontal = (
        same_padding(
            context, source.shape[axis + 1], size[axis], stride[axis], dilation[axis], target.shape[axis + 1]
        )
        for axis in (0, 1)
    )
    return _Window((size[0], size[1]), stride, dilation, (vertical, horizontal))


def _packed_convolution(
    context: OpContext, window: _Window, filters: npt.NDArray[np.int8], axis: int
) -> Kernel | None:
    """Our kernel for `filters` [outputs, window values], when its conditions hold."""
    source, target = context.activation(), context.output()
    layer = _layer(context, filters, axis, shared_sums=True)
    if layer is None:
        return None
    scratch_bytes = convolution_scratch_bytes(filters.shape[1])
    function, may_overwrite = "tinyml_nn_convolve_s8", False
    if window.size == (1, 1) and window.padding == (0, 0):
        function = "tinyml_nn_convolve_1x1_s8"
        may_overwrite = window.stride == (1, 1) and target.shape[3] <= source.shape[3]
        scratch_bytes = _column_bytes(filters.shape[1])
    constants = (Constant("weights", packing.pairs(layer.weights)), Constant("channels", layer.channels))
    overlap = Overlap(0, raster_lead(_sweep(source, target, window)))
    return _packed(context, function, window, constants, scratch_bytes, may_overwrite, overlap)


def _packed_depthwise(context: OpContext, window: _Window, filters: npt.NDArray[np.int8]) -> Kernel | None:
    """Our kernel for 3x3 `filters` [channels, 9], when its conditions hold."""
    source, target = context.activation(), context.output()
    if (
        window.size != (3, 3)
        or window.stride not in ((1, 1), (2, 2))
        or window.dilation != (1, 1)
        or max(window.padding) > 1
    ):
        return None
    layer = _layer(context, filters, axis=3, shared_sums=False)
    if layer is None:
        return None
    columns = (target.shape[2] - 1) * window.stride[1] + _TAPS
    scratch_bytes = _ROW_PAIRS * _LANES * columns * _WORD_BYTES
    weights = packing.depthwise_3x3(layer.weights.reshape(-1, _TAPS, _TAPS))
    constants = (Constant("weights", weights), Constant("channels", layer.channels))
    in_place = window.stride == (1, 1) and source.shape == target.shape
    overlap = Overlap(0, row_pair_lead(_sweep(source, target, window)), step=target.shape[3])
    return _packed(context, "tinyml_nn_depthwise_3x3_s8", window, constants, scratch_bytes, in_place, overlap)


def _sweep(source: Tensor, target: Tensor, window: _Window) -> Sweep:
    (_, height, width, channels), (_, output_height, output_width, outputs) = source.shape, target.shape
    return Sweep(
        (height, width), channels, (output_height, output_width), outputs, window.stride, window.padding
    )


def _packed(
    context: OpContext,
    function: str,
    window: _Window,
    constants: tuple[Constant, ...],
    scratch_bytes: int,
    in_place: bool,
    overlap: Overlap,
) -> Kernel:
    source, target = context.activation(), context.output()
    body = f"""\
static const tinyml_nn_window window = {{
    .input_height = {source.shape[1]}, .input_width = {source.shape[2]}, .input_channels = {source.shape[3]},
    .window_height = {window.size[0]}, .window_width = {window.size[1]},
    .stride_y = {window.stride[0]}, .stride_x = {window.stride[1]},
    .dilation_y = {window.dilation[0]}, .dilation_x = {window.dilation[1]},
    .padding_y = {window.padding[0]}, .padding_x = {window.padding[1]},
    .output_height = {target.shape[1]}, .output_width = {target.shape[2]},
    .output_channels = {target.shape[3]},
    .input_zero_point = {zero_point_of(source)}, .output_zero_point = {zero_point_of(target)},
    .activation = {context.clamp(target)}}};
{function}(&window, {read(source)}, {context.array("weights")},
    {context.array("channels")}, arena + {context.scratch_name}, {write(target)});
return 0;"""
    overwrite = (0,) if in_place else ()
    return Kernel(body, constants, scratch_bytes, may_overwrite=overwrite, overlaps=(overlap,))


def _layer(
    context: OpContext, filters: npt.NDArray[np.int8], axis: int, *, shared_sums: bool
) -> packing.PackedLayer | None:
    source, target, weights = context.activation(), context.output(), context.weights()
    multipliers = channel_multipliers(context, source, target, weights, axis)
    zero_points = (zero_point_of(source), zero_point_of(target))
    return packing.layer(
        filters, context.bias(len(filters)), multipliers, zero_points, shared_sums=shared_sums
    )


def _constants(
    context: OpContext, source: Tensor, target: Tensor, weights: Tensor, axis: int
) -> tuple[Constant, ...]:
    outputs = weights.shape[axis]
    assert weights.data is not None
    return (
        Constant("weights", weights.data),
        Constant("bias", context.bias(outputs)),
        *channel_constants(channel_multipliers(context, source, target, weights, axis)),
    )


def _call(
    context: OpContext,
    function: str,
    params_type: str,
    extra: str,
    window: _Window,
    filter_dims: str,
    scratch_bytes: int,
) -> str:
    source, target = context.activation(), context.output()

    def tile(pair: tuple[int, int]) -> str:
        return f"{{.w = {pair[1]}, .h = {pair[0]}}}"

    return f"""\
const cmsis_nn_context context = {context.scratch(scratch_bytes)};
const {params_type} params = {{
    .input_offset = {-zero_point_of(source)}, .output_offset = {zero_point_of(target)},{extra}
    .stride = {tile(window.stride)}, .padding = {tile(window.padding)}, .dilation = {tile(window.dilation)},
    .activation = {context.clamp(target)}}};
const cmsis_nn_per_channel_quant_params scales = {{(int32_t*){context.array("multipliers")},
                                                  (int32_t*){context.array("shifts")}}};
const cmsis_nn_dims input = {dims(*source.shape)}, window = {filter_dims};
const cmsis_nn_dims bias = {dims(1, 1, 1, target.shape[3])}, output = {dims(*target.shape)};
return {function}(
    &context, &params, &scales, &input, {read(source)}, &window, {context.array("weights")},
    &bias, {context.array("bias")}, &output, {write(target)});"""
