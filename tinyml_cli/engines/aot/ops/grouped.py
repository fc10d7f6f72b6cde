"""CONV_2D in groups over our own kernel; with one group it is `convolution.conv_2d`."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    channel_constants,
    read,
    same_padding,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops.convolution import channel_multipliers, conv_2d
from tinyml_cli.wording import counted


def conv_2d_in_groups(context: OpContext) -> Kernel:
    """CONV_2D; weights are [output channels, height, width, input channels / groups]."""
    source, target, weights = context.activation(), context.output(), context.weights()
    _, height, width, channels = context.image(source)
    if len(weights.shape) != 4 or weights.shape[3] == channels:
        return conv_2d(context)
    outputs, size_y, size_x, share = weights.shape
    if not share or channels % share or outputs % (channels // share) or context.image(target)[3] != outputs:
        context.refuse(
            f"has weights {list(weights.shape)} for {counted(channels, 'input channel')}",
            "Convert the model again.",
        )
    stride = (context.option("stride_h"), context.option("stride_w"))
    dilation = (context.option("dilation_h_factor"), context.option("dilation_w_factor"))
    padding = [
        same_padding(
            context, source.shape[axis + 1], size, stride[axis], dilation[axis], target.shape[axis + 1]
        )
        for axis, size in enumerate((size_y, size_x))
    ]
    lowest, highest = context.clamp_range(target)
    body = f"""\
static const tinyml_nn_grouped_params params = {{
    .input_height = {height}, .input_width = {width}, .input_channels = {channels},
    .height = {size_y}, .width = {size_x}, .channels = {share},
    .output_height = {target.shape[1]}, .output_width = {target.shape[2]}, .output_channels = {outputs},
    .stride_y = {stride[0]}, .stride_x = {stride[1]},
    .dilation_y = {dilation[0]}, .dilation_x = {dilation[1]},
    .padding_y = {padding[0]}, .padding_x = {padding[1]},
    .input_offset = {-zero_point_of(source)}, .output_offset = {zero_point_of(target)},
    .lowest = {lowest}, .highest = {highest},
    .weights = {context.array("weights")}, .bias = {context.array("bias")},
    .multipliers = {context.array("multipliers")}, .shifts = {context.array("shifts")}}};
tinyml_nn_convolve_grouped_s8(&params, {read(source)}, {write(target)});
return 0;"""
    return Kernel(body, _constants(context, outputs))


def _constants(context: OpContext, outputs: int) -> tuple[Constant, ...]:
    source, target, weights = context.activation(), context.output(), context.weights()
    assert weights.data is not None
    multipliers = channel_multipliers(context, source, target, weights, axis=0)
    return (
        Constant("weights", weights.data),
        Constant("bias", context.bias(outputs)),
        *channel_constants(multipliers),
    )
