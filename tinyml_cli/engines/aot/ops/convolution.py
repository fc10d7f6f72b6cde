"""CONV_2D and DEPTHWISE_CONV_2D: packed kernels, or plain ones where `packing`'s conditions do not hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    Overlap,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing
from tinyml_cli.engines.aot.ops.window import Window, declaration, dilation_of, sweep_of, window_of
from tinyml_cli.engines.aot.overlap import line_lead, raster_lead, row_pair_lead
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

# Our kernels: columns.h, depthwise_3x3_s8.c and depthwise_s8.c.
_WINDOWS, _QUAD, _WORD_BYTES = 3, 4, 4
_LANES, _ROW_PAIRS, _TAPS = 4, 2, 3
# A computer's; a microcontroller's are shorter.
_POINTER_BYTES = 8


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
    window = window_of(context, weights.shape[1:3], dilation_of(context))
    assert weights.data is not None
    return _convolution(context, window, weights.data.reshape(weights.shape[0], -1), axis=0)


def depthwise_conv_2d(context: OpContext) -> Kernel:
    """DEPTHWISE_CONV_2D; weights are [1, height, width, output channels]."""
    source, target, weights = context.activation(), context.output(), context.weights()
    channels, outputs = context.image(source)[3], context.image(target)[3]
    if len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[3] != outputs or outputs % channels:
        context.refuse(
            f"has weights {list(weights.shape)} for {counted(channels, 'input channel')}",
            "Convert the model again.",
        )
    check_multiplier(context, channels, outputs)
    window = window_of(context, weights.shape[1:3], dilation_of(context))
    assert weights.data is not None
    filters = np.ascontiguousarray(weights.data.reshape(-1, outputs).T)
    # One input channel: every output looks at the same window, as in CONV_2D.
    if channels == 1:
        return _convolution(context, window, filters, axis=3)
    for special in (_depthwise_3x3, _depthwise_line):
        if outputs == channels and (kernel := special(context, window, filters)):
            return kernel
    return _depthwise(context, window, filters)


def check_multiplier(context: OpContext, channels: int, outputs: int) -> None:
    """Refuses a depth multiplier that is not that of the shapes: TensorFlow Lite Micro would follow it."""
    if (multiplier := context.option("depth_multiplier")) * channels != outputs:
        context.refuse(
            f"makes {counted(outputs, 'channel')} of {channels} with a depth multiplier of {multiplier}",
            "Convert the model again.",
        )


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


def _convolution(context: OpContext, window: Window, filters: npt.NDArray[np.int8], axis: int) -> Kernel:
    """Every output channel's filter [outputs, window values] over the same windows."""
    source, target = context.activation(), context.output()
    overlap = Overlap(0, raster_lead(sweep_of(context, window)))
    scratch_bytes = convolution_scratch_bytes(filters.shape[1])
    filters = packing.gathered(filters, window.size[0])
    layer = _layer(context, filters, axis, shared_lanes=True, shared_sums=True)
    if layer is None:
        plain = _plain_layer(context, filters, axis)
        constants = _constants(packing.whole_quads(plain.weights), plain)
        return _kernel(context, "tinyml_nn_convolve_plain_s8", window, constants, scratch_bytes, overlap)
    constants = (
        Constant("weights", packing.pairs(layer.weights)),
        Constant("channels", packing.paired_channels(layer.channels)),
    )
    if window.size != (1, 1) or window.padding != (0, 0):
        return _kernel(context, "tinyml_nn_convolve_s8", window, constants, scratch_bytes, overlap)
    in_place = window.stride == (1, 1) and target.shape[3] <= source.shape[3]
    scratch_bytes = _column_bytes(filters.shape[1])
    return _kernel(
        context, "tinyml_nn_convolve_1x1_s8", window, constants, scratch_bytes, overlap, in_place=in_place
    )


def _depthwise_3x3(context: OpContext, window: Window, filters: npt.NDArray[np.int8]) -> Kernel | None:
    """3x3 `filters` [channels, 9] by pairs of rows, when the kernel's conditions hold."""
    source, target = context.activation(), context.output()
    if (
        window.size != (3, 3)
        or window.stride not in ((1, 1), (2, 2))
        or window.dilation != (1, 1)
        or max(window.padding) > 1
    ):
        return None
    layer = _layer(context, filters, axis=3)
    if layer is None:
        return None
    columns = (target.shape[2] - 1) * window.stride[1] + _TAPS
    scratch_bytes = _ROW_PAIRS * _LANES * columns * _WORD_BYTES
    constants = _constants(packing.depthwise_3x3(layer.weights.reshape(-1, _TAPS, _TAPS)), layer)
    in_place = window.stride == (1, 1) and source.shape == target.shape
    overlap = Overlap(0, row_pair_lead(sweep_of(context, window)), step=target.shape[3])
    return _kernel(
        context, "tinyml_nn_depthwise_3x3_s8", window, constants, scratch_bytes, overlap, in_place=in_place
    )


def _depthwise_line(context: OpContext, window: Window, filters: npt.NDArray[np.int8]) -> Kernel | None:
    """Windows of one column or one row, `filters` [channels, window values], where a line has several."""
    target = context.output()
    axis = 0 if window.size[1] == 1 else 1
    taps, stride, outputs = window.size[axis], window.stride[axis], target.shape[1 + axis]
    channels = target.shape[3]
    if min(window.size) > 1 or taps == 1 or window.dilation != (1, 1) or outputs == 1:
        return None
    # The line in working memory takes as much as eight channels of it.
    if channels < 2 * _LANES or (layer := _layer(context, filters, axis=3)) is None:
        return None
    pairs = (taps + 1) // 2 + (stride % 2) * ((taps + 2) // 2) + ((outputs - 1) * stride + taps + 2) // 2
    lead = line_lead(sweep_of(context, window), is_column=axis == 0)
    # Channels that are computed twice would be read after their outputs are written.
    overlap = Overlap(0, lead, step=channels) if channels % _LANES == 0 else None
    constants = _constants(packing.depthwise(layer.weights), layer)
    scratch_bytes = pairs * _LANES * _WORD_BYTES
    # A line must have several outputs, whatever part of the image is computed.
    return _kernel(
        context, "tinyml_nn_depthwise_line_s8", window, constants, scratch_bytes, overlap, in_rows=axis == 1
    )


def _depthwise(context: OpContext, window: Window, filters: npt.NDArray[np.int8]) -> Kernel:
    """Any `filters` [output channels, window values]."""
    source, target = context.activation(), context.output()
    channels, outputs = source.shape[3], target.shape[3]
    function, layer = "tinyml_nn_depthwise_s8", _layer(context, filters, axis=3)
    if layer is None:
        function, layer = "tinyml_nn_depthwise_plain_s8", _plain_layer(context, filters, axis=3)
    gathered = outputs != channels or channels < _LANES
    pixels = window.values if gathered else 1
    scratch_bytes = packing.whole(window.values, 2) * _POINTER_BYTES + packing.whole(outputs, _QUAD) * pixels
    # Without gathering, each channel's window is read before its output is written: whole pixels keep
    # channels apart.
    overlap = Overlap(0, raster_lead(sweep_of(context, window)), step=1 if gathered else outputs)
    constants = _constants(packing.depthwise(layer.weights), layer)
    return _kernel(context, function, window, constants, scratch_bytes, overlap)


def _constants(weights: npt.NDArray[np.int8], layer: packing.PackedLayer) -> tuple[Constant, ...]:
    return Constant("weights", weights), Constant("channels", layer.channels)


def _kernel(
    context: OpContext,
    function: str,
    window: Window,
    constants: tuple[Constant, ...],
    scratch_bytes: int,
    overlap: Overlap | None,
    *,
    in_place: bool = False,
    in_rows: bool = True,
) -> Kernel:
    body = f"""\
{declaration(context, window)}
{function}(&window, {read(context.activation())}, {context.array("weights")},
    {context.array("channels")}, arena + {context.scratch_name}, {write(context.output())});
return 0;"""
    overlaps = () if overlap is None else (overlap,)
    return Kernel(
        body,
        constants,
        scratch_bytes,
        may_overwrite=(0,) if in_place else (),
        overlaps=overlaps,
        rows=window.rows if in_rows else None,
    )


def _layer(
    context: OpContext,
    filters: npt.NDArray[np.int8],
    axis: int,
    *,
    shared_lanes: bool = False,
    shared_sums: bool = False,
) -> packing.PackedLayer | None:
    return packing.layer(
        filters, *_arithmetic(context, filters, axis), shared_lanes=shared_lanes, shared_sums=shared_sums
    )


def _plain_layer(context: OpContext, filters: npt.NDArray[np.int8], axis: int) -> packing.PackedLayer:
    bias, multipliers, zero_points = _arithmetic(context, filters, axis)
    return packing.plain_layer(filters, bias, multipliers, zero_points[0])


def _arithmetic(
    context: OpContext, filters: npt.NDArray[np.int8], axis: int
) -> tuple[npt.NDArray[np.int32], list[arithmetic.Multiplier], tuple[int, int]]:
    """Biases, multipliers and both zero points."""
    source, target = context.activation(), context.output()
    multipliers = channel_multipliers(context, source, target, context.weights(), axis)
    return context.bias(len(filters)), multipliers, (zero_point_of(source), zero_point_of(target))
