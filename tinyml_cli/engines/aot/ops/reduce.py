"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN over any dimensions, over our own kernels."""

from __future__ import annotations

import math
from itertools import groupby

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

# |sum| of int8 values less their zero point stays below 2^31.
_LARGEST_COUNT = 1 << 22


def mean(context: OpContext) -> Kernel:
    """MEAN, with or without keep_dims."""
    source, target, (outer, first, kept, second) = _operands(context)
    count = first * second
    multiplier = arithmetic.mean_multiplier(scale_of(source), scale_of(target), count)
    if outer == second == 1:
        return _mean_of_rows(source, target, count, kept, multiplier)
    return _call("tinyml_nn_sum_s8", source, target, (outer, first, kept, second), multiplier)


def total(context: OpContext) -> Kernel:
    """SUM, with or without keep_dims."""
    source, target, sizes = _operands(context)
    multiplier = arithmetic.quantize_multiplier(float(scale_of(source)) / float(scale_of(target)))
    return _call("tinyml_nn_sum_s8", source, target, sizes, multiplier)


def largest(context: OpContext) -> Kernel:
    """REDUCE_MAX; input and output have one scale."""
    return _extremum(context, "tinyml_nn_largest_s8")


def smallest(context: OpContext) -> Kernel:
    """REDUCE_MIN; input and output have one scale."""
    return _extremum(context, "tinyml_nn_smallest_s8")


def _extremum(context: OpContext, function: str) -> Kernel:
    source, target, sizes = _operands(context)
    if (scale_of(source), zero_point_of(source)) != (scale_of(target), zero_point_of(target)):
        context.refuse("compares values of one scale on another", "Train and quantise the model again.")
    return _call(function, source, target, sizes, arithmetic.Multiplier(0, 0))


def _operands(context: OpContext) -> tuple[Tensor, Tensor, tuple[int, int, int, int]]:
    """Input, output, and the input's shape as [outer][first][kept][second] with `first`, `second` reduced."""
    source, target = context.activation(), context.output()
    reduced = _axes(context, source)
    runs = [
        (summed, math.prod(size for size, _ in run))
        for summed, run in groupby(
            ((size, axis in reduced) for axis, size in enumerate(source.shape) if size != 1),
            key=lambda pair: pair[1],
        )
    ]
    sizes = []
    for expected in (False, True, False, True):
        sizes.append(runs.pop(0)[1] if runs and runs[0][0] == expected else 1)
    if runs:
        context.refuse(
            f"reduces the dimensions {sorted(reduced)} of {list(source.shape)}", "Use adjacent ones."
        )
    outer, first, kept, second = sizes
    if target.elements != outer * kept or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    if first * second > _LARGEST_COUNT:
        context.refuse(f"reduces {counted(first * second, 'value')} to one", "Pool in two steps.")
    return source, target, (outer, first, kept, second)


def _axes(context: OpContext, source: Tensor) -> set[int]:
    axes, rank = context.constant(1), len(source.shape)
    if axes.data is None or axes.dtype != "int32":
        context.refuse(f"takes its axes from {axes.label}", "Convert the model again.")
    given = [int(axis) for axis in axes.data.reshape(-1)]
    if any(not -rank <= axis < rank for axis in given):
        context.refuse(f"reduces the dimensions {given} of {list(source.shape)}", "Convert the model again.")
    return {axis % rank for axis in given}


def _mean_of_rows(
    source: Tensor, target: Tensor, positions: int, channels: int, multiplier: arithmetic.Multiplier
) -> Kernel:
    return Kernel(f"""\
const tinyml_nn_mean_params params = {{
    .positions = {positions}, .channels = {channels}, .input_offset = {-zero_point_of(source)},
    .output_offset = {zero_point_of(target)},
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift}}};
tinyml_nn_mean_s8(&params, {read(source)}, {write(target)});
return 0;""")


def _call(
    function: str,
    source: Tensor,
    target: Tensor,
    sizes: tuple[int, int, int, int],
    multiplier: arithmetic.Multiplier,
) -> Kernel:
    outer, first, kept, second = sizes
    return Kernel(f"""\
static const tinyml_nn_sum_params params = {{
    .outer = {outer}, .first = {first}, .kept = {kept}, .second = {second},
    .input_offset = {-zero_point_of(source)}, .output_offset = {zero_point_of(target)},
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift}}};
{function}(&params, {read(source)}, {write(target)});
return 0;""")
