"""FULLY_CONNECTED over our own kernel, or over CMSIS-NN if that does not apply."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    channel_constants,
    dims,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing
from tinyml_cli.wording import counted


def fully_connected(context: OpContext) -> Kernel:
    """FULLY_CONNECTED; weights are [outputs, inputs], leading dimensions of the input are rows.

    Weights with a scale per output go through the 1x1 convolution: this release of CMSIS-NN has no
    per-channel fully connected function, and the arithmetic is the same.
    """
    source, target, weights = context.activation(), context.output(), context.weights()
    if len(weights.shape) != 2 or min(weights.shape) < 1 or source.elements % weights.shape[1]:
        context.refuse(
            f"has weights {list(weights.shape)} for an input {list(source.shape)}", "Convert the model again."
        )
    outputs, inputs = weights.shape
    rows = source.elements // inputs
    if target.elements != rows * outputs:
        context.refuse(
            f"produces {list(target.shape)} from {counted(rows, 'row')} of {inputs}",
            "Convert the model again.",
        )
    assert weights.quantization is not None and weights.data is not None
    if weights.quantization.per_channel and weights.quantization.axis != 0:
        context.refuse("has weights with scales along their inputs", "Convert the model again.")
    scales = weights.quantization.scales
    multipliers = arithmetic.product_multipliers(scale_of(source), scales, scale_of(target))
    if kernel := _packed(context, multipliers, rows, weights.data):
        return kernel
    constants = (Constant("weights", weights.data), Constant("bias", context.bias(outputs)))
    if weights.quantization.per_channel:
        return Kernel(
            _per_channel(context, rows, inputs, outputs), (*constants, *channel_constants(multipliers))
        )
    return Kernel(_per_tensor(context, multipliers[0], rows, inputs, outputs), constants)


def _packed(
    context: OpContext, multipliers: list[arithmetic.Multiplier], rows: int, weights: npt.NDArray[np.int8]
) -> Kernel | None:
    """Our kernel, when its conditions hold."""
    source, target = context.activation(), context.output()
    outputs, inputs = weights.shape
    per_output = multipliers if len(multipliers) == outputs else multipliers * outputs
    zero_points = (zero_point_of(source), zero_point_of(target))
    layer = packing.layer(weights, context.bias(outputs), per_output, zero_points, shared_sums=False)
    if layer is None:
        return None
    scales = layer.channels[:, 1:]
    per_channel = bool(np.any(scales != scales[0]))
    body = f"""\
static const tinyml_nn_dense dense = {{
    .rows = {rows}, .inputs = {inputs}, .outputs = {outputs}, .output_zero_point = {zero_point_of(target)},
    .activation = {context.clamp(target)}, .per_channel = {int(per_channel)}}};
tinyml_nn_fully_connected_s8(&dense, {read(source)}, {context.array("weights")},
    {context.array("bias")}, {context.array("scales")}, {write(target)});
return 0;"""
    constants = (
        Constant("weights", packing.quartets(layer.weights)),
        Constant("bias", layer.channels[:, 0]),
        Constant("scales", scales if per_channel else scales[0]),
    )
    return Kernel(body, constants)


def _per_tensor(
    context: OpContext, multiplier: arithmetic.Multiplier, rows: int, inputs: int, outputs: int
) -> str:
    source, target = context.activation(), context.output()
    return f"""\
const cmsis_nn_context context = {{NULL, 0}};
const cmsis_nn_fc_params params = {{.input_offset = {-zero_point_of(source)}, .filter_offset = 0,
                                   .output_offset = {zero_point_of(target)},
                                   .activation = {context.clamp(target)}}};
const cmsis_nn_per_tensor_quant_params scale = {{
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift}}};
const cmsis_nn_dims input = {dims(rows, 1, 1, inputs)}, filter = {dims(inputs, 1, 1, outputs)};
const cmsis_nn_dims bias = {dims(1, 1, 1, outputs)}, output = {dims(rows, 1, 1, outputs)};
return arm_fully_connected_s8(
    &context, &params, &scale, &input, {read(source)}, &filter, {context.array("weights")},
    &bias, {context.array("bias")}, &output, {write(target)});"""


def _per_channel(context: OpContext, rows: int, inputs: int, outputs: int) -> str:
    source, target = context.activation(), context.output()
    return f"""\
const cmsis_nn_context context = {{NULL, 0}};
const cmsis_nn_conv_params params = {{.input_offset = {-zero_point_of(source)},
                                     .output_offset = {zero_point_of(target)},
                                     .stride = {{1, 1}}, .padding = {{0, 0}}, .dilation = {{1, 1}},
                                     .activation = {context.clamp(target)}}};
const cmsis_nn_per_channel_quant_params scales = {{(int32_t*){context.array("multipliers")},
                                                  (int32_t*){context.array("shifts")}}};
const cmsis_nn_dims input = {dims(1, 1, rows, inputs)}, filter = {dims(outputs, 1, 1, inputs)};
const cmsis_nn_dims bias = {dims(1, 1, 1, outputs)}, output = {dims(1, 1, rows, outputs)};
return arm_convolve_1x1_s8_fast(
    &context, &params, &scales, &input, {read(source)}, &filter, {context.array("weights")},
    &bias, {context.array("bias")}, &output, {write(target)});"""
