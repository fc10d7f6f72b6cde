"""Functions of one int8 value. The table of all 256 results decides how a function is compiled.

An identity table is free, a table that only limits becomes a clamp, and any other is stored.
"""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot import arithmetic, tables
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.tflite.graph import Tensor


def by_table(context: OpContext, source: Tensor, target: Tensor, table: tables.Table) -> Kernel:
    """The cheapest kernel that maps each 8-bit value of `source` to `table`'s entry in `target`."""
    if source.elements != target.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    values = table[np.arange(-128, 128)].astype(int)
    inputs = np.arange(-128, 128)
    lowest, highest = int(values.min()), int(values.max())
    signed = source.dtype == target.dtype == "int8"
    if signed and np.array_equal(values, inputs):
        return Kernel(alias_of=source.index)
    if signed and np.array_equal(values, np.clip(inputs, lowest, highest)):
        return Kernel(
            f"tinyml_nn_clamp_s8({lowest}, {highest}, {read(source)}, {write(target)}, {target.elements});\n"
            "return 0;",
            may_overwrite=_positions(context, source),
        )
    function = "tinyml_nn_lookup_16" if table.dtype == np.int16 else "tinyml_nn_lookup"
    arguments = f"{context.array('table')}, {read(source)}, {write(target)}, {target.elements}"
    overwrite = () if table.dtype == np.int16 else _positions(context, source)
    body = f"{function}({arguments});\nreturn 0;"
    return Kernel(body, (Constant("table", table),), may_overwrite=overwrite)


def relu(context: OpContext) -> Kernel:
    """RELU."""
    return _relu(context, "RELU")


def relu_n1_to_1(context: OpContext) -> Kernel:
    """RELU_N1_TO_1, which TensorFlow Lite Micro knows as a fused activation only."""
    return _relu(context, "RELU_N1_TO_1")


def relu6(context: OpContext) -> Kernel:
    """RELU6."""
    source, target = context.activation(), context.output()
    function = tables.relu6(scale_of(source), zero_point_of(source))
    return by_table(context, source, target, tables.tabulate(function))


def leaky_relu(context: OpContext) -> Kernel:
    """LEAKY_RELU."""
    source, target = context.activation(), context.output()
    function = tables.leaky_relu(*_scales(source, target), context.option("alpha"))
    return by_table(context, source, target, tables.tabulate(function))


def absolute(context: OpContext) -> Kernel:
    """ABS."""
    source, target = context.activation(), context.output()
    return by_table(context, source, target, tables.tabulate(tables.absolute(*_scales(source, target))))


def hard_swish(context: OpContext) -> Kernel:
    """HARD_SWISH."""
    source, target = context.activation(), context.output()
    return by_table(context, source, target, tables.tabulate(tables.hard_swish(*_scales(source, target))))


def elu(context: OpContext) -> Kernel:
    """ELU with a slope of 1."""
    source, target = context.activation(), context.output()
    return by_table(context, source, target, tables.tabulate(tables.elu(*_scales(source, target))))


def gelu(context: OpContext) -> Kernel:
    """GELU, which TensorFlow Lite Micro lacks: as LiteRT computes it."""
    source, target = context.activation(), context.output()
    function = tables.gelu(*_scales(source, target), approximate=bool(context.option("approximate")))
    return by_table(context, source, target, tables.tabulate(function))


def logistic(context: OpContext) -> Kernel:
    """LOGISTIC; the output is probability = (q + 128) / 256."""
    source, target = context.activation(), context.output()
    _check_target(context, target, 1 / 256, arithmetic.INT8_MIN)
    function = tables.logistic(scale_of(source), zero_point_of(source))
    return by_table(context, source, target, tables.tabulate(function))


def tanh(context: OpContext) -> Kernel:
    """TANH; the output is q / 128."""
    source, target = context.activation(), context.output()
    _check_target(context, target, 1 / 128, 0)
    function = tables.tanh(scale_of(source), zero_point_of(source))
    return by_table(context, source, target, tables.tabulate(function))


def _relu(context: OpContext, activation: str) -> Kernel:
    source, target = context.activation(), context.output()
    function = tables.relu(*_scales(source, target), activation)
    return by_table(context, source, target, tables.tabulate(function))


def _scales(source: Tensor, target: Tensor) -> tuple[np.float32, int, np.float32, int]:
    return scale_of(source), zero_point_of(source), scale_of(target), zero_point_of(target)


def _check_target(context: OpContext, target: Tensor, scale: float, zero_point: int) -> None:
    if scale_of(target) != np.float32(scale) or zero_point_of(target) != zero_point:
        context.refuse(
            f"produces {target.label} without the scale {scale:g} and zero point {zero_point}",
            "Convert the model again.",
        )


def _positions(context: OpContext, source: Tensor) -> tuple[int, ...]:
    return tuple(i for i, index in enumerate(context.operator.inputs) if index == source.index)
