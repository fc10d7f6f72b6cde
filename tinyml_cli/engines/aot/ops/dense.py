"""FULLY_CONNECTED: a packed kernel, or a plain one where `packing`'s conditions do not hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing
from tinyml_cli.wording import counted


def fully_connected(context: OpContext) -> Kernel:
    """FULLY_CONNECTED; weights are [outputs, inputs], leading dimensions of the input are rows."""
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
    multipliers = multipliers if len(multipliers) == outputs else multipliers * outputs
    if kernel := _packed(context, multipliers, rows, weights.data):
        return kernel
    return _plain(context, multipliers, rows, weights.data)


def _packed(
    context: OpContext, multipliers: list[arithmetic.Multiplier], rows: int, weights: npt.NDArray[np.int8]
) -> Kernel | None:
    """The packed kernel, when its conditions hold."""
    source, target = context.activation(), context.output()
    outputs, inputs = weights.shape
    zero_points = (zero_point_of(source), zero_point_of(target))
    layer = packing.layer(weights, context.bias(outputs), multipliers, zero_points, shared_lanes=True)
    if layer is None:
        return None
    scales = layer.channels[:, [1, 3]]
    per_channel = context.retrainable or bool(np.any(scales != scales[0]))
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


def _plain(
    context: OpContext, multipliers: list[arithmetic.Multiplier], rows: int, weights: npt.NDArray[np.int8]
) -> Kernel:
    """Any weights and scales."""
    source, target = context.activation(), context.output()
    outputs, inputs = weights.shape
    layer = packing.plain_layer(weights, context.bias(outputs), multipliers, zero_point_of(source))
    body = f"""\
static const tinyml_nn_dense dense = {{
    .rows = {rows}, .inputs = {inputs}, .outputs = {outputs}, .output_zero_point = {zero_point_of(target)},
    .activation = {context.clamp(target)}}};
tinyml_nn_fully_connected_plain_s8(&dense, {read(source)}, {context.array("weights")},
    {context.array("channels")}, {write(target)});
return 0;"""
    return Kernel(
        body, (Constant("weights", packing.four_rows(weights)), Constant("channels", layer.channels))
    )
