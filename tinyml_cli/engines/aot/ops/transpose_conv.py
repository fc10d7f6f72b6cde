"""TRANSPOSE_CONV over our own kernel."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    channel_constants,
    read,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops.convolution import channel_multipliers
from tinyml_cli.wording import counted


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
    stride = (context.option("stride_h"), context.option("stride_w"))
    padding = [
        _padding(context, output, size, step, given)
        for output, size, step, given in zip(
            (output_height, output_width), window, stride, (height, width), strict=True
        )
    ]
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
    multipliers = channel_multipliers(context, source, target, weights, axis=0)
    constants = (
        Constant("weights", weights.data),
        Constant("bias", context.bias(outputs, position=3)),
        *channel_constants(multipliers),
    )
    return Kernel(body, constants)


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
