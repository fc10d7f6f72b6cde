"""SVDF over our own kernel: filters of rank 1 with a memory of the latest inputs."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    Overlap,
    read,
    scale_of,
    tensor_name,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing, state
from tinyml_cli.engines.aot.overlap import rows_lead
from tinyml_cli.tflite.graph import Tensor

_AGAIN = "Convert the model again."
# TensorFlow Lite Micro refuses a bias whose scale is further from the sums'.
_BIAS_SCALE_TOLERANCE = 1e-5


def svdf(context: OpContext) -> Kernel:
    """SVDF with state and weights over time in int8 or int16.

    Its fused activation does nothing, as in TensorFlow Lite Micro: converters choose an output scale that
    begins at 0 instead.
    """
    source, target = context.activation(), context.output()
    weights, over_time, memory = context.weights(), context.constant(2), state.variable(context, 4)
    rank = context.option("rank")
    _check_types(context, weights, over_time, memory)
    _check_shapes(context, source, target, rank)
    filters, inputs = weights.shape
    outputs, size = filters // rank, over_time.shape[1]
    feature, output = _scales(context, source, target)
    assert weights.data is not None and over_time.data is not None
    bias = packing.folded_bias(
        context.bias(outputs, 3), over_time.data.reshape(outputs, -1), zero_point_of(memory)
    )
    feature_bias = packing.folded_bias(np.zeros(filters, np.int32), weights.data, zero_point_of(source))
    body = f"""\
static const tinyml_nn_svdf svdf = {{
    .batches = {source.shape[0]}, .inputs = {inputs}, .filters = {filters}, .rank = {rank},
    .memory = {size}, .state_bytes = {over_time.data.itemsize}, .state_zero_point = {zero_point_of(memory)},
    .feature = {{{feature.significand}, {feature.shift}}}, .output = {{{output.significand}, {output.shift}}},
    .output_zero_point = {zero_point_of(target)}}};
tinyml_nn_svdf_s8(&svdf, {read(source)}, {context.array("weights")}, {context.array("feature_bias")},
    {context.array("time_weights")}, {context.array("bias")}, arena + {tensor_name(memory)}, {write(target)});
return 0;"""
    constants = (
        Constant("weights", packing.four_rows(weights.data)),
        Constant("feature_bias", feature_bias),
        Constant("time_weights", over_time.data),
        Constant("bias", bias),
    )
    return Kernel(
        body,
        constants,
        overlaps=(Overlap(0, rows_lead(source.shape[0], inputs, outputs)),),
        states=state.kept(memory),
    )


def _check_types(context: OpContext, weights: Tensor, over_time: Tensor, memory: Tensor) -> None:
    if over_time.dtype not in ("int8", "int16") or over_time.quantization is None:
        context.refuse(f"has weights over time of type {over_time.dtype} ({over_time.label})", _AGAIN)
    if memory.dtype != over_time.dtype:
        context.refuse(f"has weights over time in {over_time.dtype} and a state in {memory.dtype}", _AGAIN)
    for tensor in (weights, over_time):
        assert tensor.quantization is not None
        if tensor.quantization.per_channel or np.any(tensor.quantization.zero_points):
            context.refuse(f"has weights with several scales or a zero point ({tensor.label})", _AGAIN)


def _check_shapes(context: OpContext, source: Tensor, target: Tensor, rank: int) -> None:
    weights, over_time, memory = (context.input(position).shape for position in (1, 2, 4))
    if len(weights) != 2 or len(over_time) != 2 or len(source.shape) != 2 or rank < 1 or weights[0] % rank:
        context.refuse(
            f"has filters {list(weights)} and {list(over_time)} of rank {rank} for {list(source.shape)}",
            _AGAIN,
        )
    batches, inputs = source.shape
    expected = ((weights[0], inputs), (weights[0], over_time[1]), (batches, weights[0] * over_time[1]),
                (batches, weights[0] // rank))  # fmt: skip
    given = (weights, over_time, memory, target.shape)
    if given != expected or not all(map(all, given)):
        context.refuse(
            f"has the shapes {', '.join(str(list(shape)) for shape in given)} for an input "
            f"{list(source.shape)}, where {', '.join(str(list(shape)) for shape in expected)} were expected",
            _AGAIN,
        )


def _scales(
    context: OpContext, source: Tensor, target: Tensor
) -> tuple[arithmetic.Multiplier, arithmetic.Multiplier]:
    """From the sums over the input to the state, and from those over time to the output."""
    weights, over_time, memory = (context.input(position) for position in (1, 2, 4))
    assert weights.quantization is not None and over_time.quantization is not None
    (feature,) = arithmetic.product_multipliers(
        scale_of(source), weights.quantization.scales, scale_of(memory)
    )
    (output,) = arithmetic.product_multipliers(
        scale_of(memory), over_time.quantization.scales, scale_of(target)
    )
    bias = context.graph.input(context.operator, 3)
    if bias is not None:
        own = float(scale_of(bias)) if bias.quantization is not None else 0.0
        sums = float(scale_of(memory)) * float(scale_of(over_time))
        if not abs(own - sums) < _BIAS_SCALE_TOLERANCE:
            context.refuse(f"has a bias of scale {own:g} for sums of scale {sums:g} ({bias.label})", _AGAIN)
    return feature, output
