"""AVERAGE_POOL_2D over CMSIS-NN, and MEAN over height and width over our own kernel."""

from __future__ import annotations

import math

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Kernel,
    OpContext,
    dims,
    read,
    same_padding,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.tflite.graph import Tensor

_INT32_BYTES = 4
# |sum| of int8 values less their zero point stays below 2^31.
_LARGEST_MEAN = 1 << 22


def average_pool_2d(context: OpContext) -> Kernel:
    """AVERAGE_POOL_2D; input and output have one scale, so sums are divided, not rescaled."""
    source, target = context.activation(), context.output()
    _, height, width, channels = context.image(source)
    if context.image(target)[3] != channels:
        context.refuse(f"makes {target.shape[3]} channels out of {channels}", "Make the model again.")
    window = (context.option("filter_height"), context.option("filter_width"))
    stride = (context.option("stride_h"), context.option("stride_w"))
    padding = [
        same_padding(context, source.shape[axis + 1], window[axis], stride[axis], 1, target.shape[axis + 1])
        for axis in (0, 1)
    ]
    scratch_bytes = channels * _INT32_BYTES
    body = f"""\
const cmsis_nn_context context = {context.scratch(scratch_bytes)};
const cmsis_nn_pool_params params = {{.stride = {{.w = {stride[1]}, .h = {stride[0]}}},
                                     .padding = {{.w = {padding[1]}, .h = {padding[0]}}},
                                     .activation = {context.clamp(target)}}};
const cmsis_nn_dims input = {dims(1, height, width, channels)}, window = {dims(1, *window, 1)};
const cmsis_nn_dims output = {dims(*target.shape)};
return arm_avgpool_s8(&context, &params, &input, {read(source)}, &window, &output, {write(target)});"""
    return Kernel(body, scratch_bytes=scratch_bytes)


def mean(context: OpContext) -> Kernel:
    """MEAN over height and width (global average pooling), with or without keep_dims."""
    source, target = context.activation(), context.output()
    _, height, width, channels = context.image(source)
    if _axes(context, source) != {1, 2} or target.elements != channels:
        context.refuse(
            "reduces other axes than height and width", "Use GlobalAveragePooling2D, or --engine tflm."
        )
    count = height * width
    if count > _LARGEST_MEAN:
        context.refuse(f"takes the mean of {count} values", "Pool in two steps.")
    multiplier = arithmetic.mean_multiplier(scale_of(source), scale_of(target), count)
    body = f"""\
const tinyml_nn_mean_params params = {{
    .positions = {count}, .channels = {channels}, .input_offset = {-zero_point_of(source)},
    .output_offset = {zero_point_of(target)},
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift}}};
tinyml_nn_mean_s8(&params, {read(source)}, {write(target)});
return 0;"""
    return Kernel(body)


def _axes(context: OpContext, source: Tensor) -> set[int]:
    axes = context.constant(1)
    if axes.data is None or axes.dtype != "int32" or math.prod(axes.shape) > len(source.shape):
        context.refuse(f"takes its axes from {axes.label}", "Make the model again.")
    return {int(axis) % len(source.shape) for axis in axes.data.reshape(-1)}
