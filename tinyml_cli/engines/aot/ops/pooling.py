"""AVERAGE_POOL_2D and MAX_POOL_2D over CMSIS-NN."""

from __future__ import annotations

import numpy as np

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
from tinyml_cli.wording import counted

_INT32_BYTES = 4
# What TensorFlow Lite Micro takes for the same scale.
_SCALE_TOLERANCE = 1e-6


def average_pool_2d(context: OpContext) -> Kernel:
    """AVERAGE_POOL_2D; sums are divided by the number of values inside the image."""
    scratch_bytes = context.output().shape[-1] * _INT32_BYTES if context.output().shape else 0
    return Kernel(_call(context, "arm_avgpool_s8", scratch_bytes), scratch_bytes=scratch_bytes)


def max_pool_2d(context: OpContext) -> Kernel:
    """MAX_POOL_2D."""
    return Kernel(_call(context, "arm_max_pool_s8", 0))


def _call(context: OpContext, function: str, scratch_bytes: int) -> str:
    source, target = context.activation(), context.output()
    _, height, width, channels = context.image(source)
    if context.image(target)[3] != channels:
        context.refuse(
            f"produces {counted(target.shape[3], 'channel')} from {channels}", "Convert the model again."
        )
    difference = abs(np.float32(scale_of(source)) - np.float32(scale_of(target)))
    if difference > _SCALE_TOLERANCE or zero_point_of(source) != zero_point_of(target):
        context.refuse("makes values of another scale than its input's", "Quantise the model again.")
    window = (context.option("filter_height"), context.option("filter_width"))
    stride = (context.option("stride_h"), context.option("stride_w"))
    padding = [
        same_padding(context, source.shape[axis + 1], window[axis], stride[axis], 1, target.shape[axis + 1])
        for axis in (0, 1)
    ]
    return f"""\
const cmsis_nn_context context = {context.scratch(scratch_bytes)};
const cmsis_nn_pool_params params = {{.stride = {{.w = {stride[1]}, .h = {stride[0]}}},
                                     .padding = {{.w = {padding[1]}, .h = {padding[0]}}},
                                     .activation = {context.clamp(target)}}};
const cmsis_nn_dims input = {dims(1, height, width, channels)}, window = {dims(1, *window, 1)};
const cmsis_nn_dims output = {dims(*target.shape)};
return {function}(&context, &params, &input, {read(source)}, &window, &output, {write(target)});"""
