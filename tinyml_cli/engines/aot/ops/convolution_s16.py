"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV with int16 activations and int8 weights."""

from __future__ import annotations

from itertools import product
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, channel_constants, read, write
from tinyml_cli.engines.aot.ops.convolution import channel_multipliers, check_multiplier
from tinyml_cli.engines.aot.ops.transpose_conv import Phase, sides_of
from tinyml_cli.engines.aot.ops.window import dilation_of, initialiser, window_of
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_AGAIN = "Convert the model again."
# TensorFlow Lite rescales sums of 64 bits up to this.
_LARGEST_SHIFT = 7


def conv_2d(context: OpContext) -> Kernel:
    """CONV_2D, also in groups; weights are [output channels, height, width, input channels / groups]."""
    source, target, weights = context.wide(), context.wide_output(), context.weights()
    channels, outputs = context.image(source)[3], context.image(target)[3]
    share = weights.shape[3] if len(weights.shape) == 4 else 0
    if not share or channels % share or weights.shape[0] != outputs or outputs % (channels // share):
        _refuse_weights(context, weights, channels)
    window = window_of(context, weights.shape[1:3], dilation_of(context))
    bias, is_wide = _bias(context, outputs, 2)
    assert weights.data is not None
    constants = _constants(context, weights.data, bias, is_wide, source, axis=0)
    body = _call(context, initialiser(context, window), share, is_wide, source)
    return Kernel(body + "return 0;", constants)


def depthwise_conv_2d(context: OpContext) -> Kernel:
    """DEPTHWISE_CONV_2D; weights are [1, height, width, output channels]."""
    source, target, weights = context.wide(), context.wide_output(), context.weights()
    channels, outputs = context.image(source)[3], context.image(target)[3]
    if len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[3] != outputs or outputs % channels:
        _refuse_weights(context, weights, channels)
    check_multiplier(context, channels, outputs)
    window = window_of(context, weights.shape[1:3], dilation_of(context))
    bias, _ = _bias(context, outputs, 2, types=("int64",))
    assert weights.data is not None
    filters = np.ascontiguousarray(weights.data.reshape(-1, outputs).T)
    constants = _constants(context, filters, bias, True, source, axis=3)
    return Kernel(_call(context, initialiser(context, window), 1, True, source) + "return 0;", constants)


def fully_connected(context: OpContext) -> Kernel:
    """FULLY_CONNECTED: a convolution of one pixel over the rows."""
    source, target, weights = context.wide(), context.wide_output(), context.weights()
    if len(weights.shape) != 2 or min(weights.shape) < 1 or source.elements % weights.shape[1]:
        context.refuse(f"has weights {list(weights.shape)} for an input {list(source.shape)}", _AGAIN)
    outputs, inputs = weights.shape
    rows = source.elements // inputs
    if target.elements != rows * outputs:
        context.refuse(f"produces {list(target.shape)} from {counted(rows, 'row')} of {inputs}", _AGAIN)
    bias, is_wide = _bias(context, outputs, 2)
    assert weights.data is not None
    window = _plain_window(context, (1, rows, inputs), (1, 1), (1, rows, outputs))
    constants = _constants(context, weights.data, bias, is_wide, source, axis=0)
    return Kernel(_call(context, window, inputs, is_wide, source) + "return 0;", constants)


def transpose_conv(context: OpContext) -> Kernel:
    """TRANSPOSE_CONV: a convolution for each phase of the stride, whose outputs lie apart."""
    source, target, weights = context.wide(2), context.wide_output(), context.weights()
    channels, outputs = context.image(source)[3], context.image(target)[3]
    if len(weights.shape) != 4 or weights.shape[::3] != (outputs, channels) or weights.data is None:
        _refuse_weights(context, weights, channels)
    bias, is_wide = _bias(context, outputs, 3, types=("int16", "int64"))
    stride, sides = sides_of(context, source, target, weights.shape[1:3])
    body, constants = "", [*_constants(context, weights.data, bias, is_wide, source, axis=0)[1:]]
    for number, (down, across) in enumerate(product(*sides)):
        filters = np.zeros((outputs, max(len(down.taps), 1), max(len(across.taps), 1), channels), np.int8)
        if down.taps and across.taps:
            filters[:] = weights.data[:, list(down.taps)][:, :, list(across.taps)]
        constants.append(Constant(f"weights_{number}", filters))
        body += _phase(context, number, (down, across), filters.shape, stride)
    return Kernel(body + "return 0;", tuple(constants))


def _phase(
    context: OpContext,
    number: int,
    phases: tuple[Phase, Phase],
    filters: tuple[int, ...],
    stride: tuple[int, int],
) -> str:
    source, target = context.wide(2), context.wide_output()
    down, across = phases
    size = (down.count, across.count, target.shape[3])
    padding = (down.padding, across.padding)
    window = _plain_window(context, source.shape[1:], filters[1:3], size, padding)
    row = target.shape[2] * target.shape[3]
    steps = (stride[1] * target.shape[3], stride[0] * row)
    start = down.first * row + across.first * target.shape[3]
    name = f"_{number}"
    return _call(context, window, source.shape[3], True, source, name, steps, start)


def _call(
    context: OpContext,
    window: str,
    share: int,
    is_wide: bool,
    source: Tensor,
    name: str = "",
    steps: tuple[int, int] | None = None,
    start: int = 0,
) -> str:
    target = context.result()
    pixel = target.shape[-1]
    step, row_step = steps or (pixel, pixel * (target.shape[2] if len(target.shape) == 4 else 1))
    return f"""\
static const tinyml_nn_convolution_s16 convolution{name} = {{
    .window = {window},
    .filter_channels = {share}, .output_step = {step}, .output_row_step = {row_step},
    .is_wide = {int(is_wide)}, .weights = {context.array("weights" + name)}, .bias = {context.array("bias")},
    .multipliers = {context.array("multipliers")}, .shifts = {context.array("shifts")}}};
tinyml_nn_convolve_s16(&convolution{name}, {read(source)}, {write(target)} + {start});
"""


def _plain_window(
    context: OpContext,
    source: tuple[int, ...],
    size: tuple[int, ...],
    target: tuple[int, ...],
    padding: tuple[int, int] = (0, 0),
) -> str:
    """A window of stride 1 between images [height, width, channels]."""
    clamp = context.clamp(context.result())
    return f"""\
{{
    .input_height = {source[0]}, .input_width = {source[1]}, .input_channels = {source[2]},
    .window_height = {size[0]}, .window_width = {size[1]}, .stride_y = 1, .stride_x = 1,
    .dilation_y = 1, .dilation_x = 1, .padding_y = {padding[0]}, .padding_x = {padding[1]},
    .output_height = {target[0]}, .output_width = {target[1]}, .output_channels = {target[2]},
    .activation = {clamp}}}"""


def _bias(
    context: OpContext, channels: int, position: int, types: tuple[str, ...] = ("int32", "int64")
) -> tuple[npt.NDArray[np.int64], bool]:
    """The bias, zeros without one, and whether sums have 64 bits, as they do unless the bias is int32."""
    if context.graph.input(context.operator, position) is None:
        is_narrow = "int32" in types and context.operator.options.get("quantized_bias_type") == "INT32"
        return np.zeros(channels, np.int64), not is_narrow
    tensor = context.constant(position)
    if tensor.dtype not in types or tensor.data is None or tensor.elements != channels:
        context.refuse(f"has a bias that is not {' or '.join(types)}[{channels}] ({tensor.label})", _AGAIN)
    return tensor.data.astype(np.int64).reshape(-1), tensor.dtype != "int32"


def _constants(
    context: OpContext,
    filters: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int64],
    is_wide: bool,
    source: Tensor,
    axis: int,
) -> tuple[Constant, ...]:
    multipliers: list[arithmetic.Multiplier] = channel_multipliers(
        context, source, context.result(), context.weights(), axis
    )
    if is_wide and any(each.shift > _LARGEST_SHIFT for each in multipliers):
        context.refuse("rescales its sums by 128 and more", "Train and quantise the model again.")
    return Constant("weights", filters), Constant("bias", bias), *channel_constants(multipliers)


def _refuse_weights(context: OpContext, weights: Tensor, channels: int) -> NoReturn:
    context.refuse(f"has weights {list(weights.shape)} for {counted(channels, 'input channel')}", _AGAIN)
