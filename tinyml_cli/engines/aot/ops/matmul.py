"""BATCH_MATMUL of two matrices, computed or constant, over our own kernel."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot import arithmetic, layout
from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_INT16_BYTES = 2
_BATCH_RANK = 3
# (q - zero point) is at most 255 on either side; sums stay below 2^31.
_LARGEST_DEPTH = ((1 << 31) - 1) // 255**2


def batch_matmul(context: OpContext) -> Kernel:
    """BATCH_MATMUL with broadcast batches; `adj_x` and `adj_y` transpose."""
    a, b, target = context.operand(0), context.operand(1), context.output()
    if any(not 2 <= len(tensor.shape) <= 5 or not tensor.elements for tensor in (a, b, target)):
        context.refuse(f"multiplies {list(a.shape)} by {list(b.shape)}", "Use two to five dimensions.")
    rows, depth = a.shape[:-3:-1] if context.option("adj_x") else a.shape[-2:]
    depth_of_b, columns = b.shape[:-3:-1] if context.option("adj_y") else b.shape[-2:]
    if depth != depth_of_b or target.shape[-2:] != (rows, columns):
        context.refuse(
            f"multiplies {list(a.shape)} by {list(b.shape)} to {list(target.shape)}",
            "Convert the model again.",
        )
    if depth > _LARGEST_DEPTH:
        context.refuse(
            f"adds {counted(depth, 'product')} (at most {_LARGEST_DEPTH})", "Use smaller matrices."
        )
    a_row, a_step = (1, rows) if context.option("adj_x") else (depth, 1)
    b_column, b_step = (depth, 1) if context.option("adj_y") else (1, columns)
    assert b.quantization is not None
    (multiplier,) = arithmetic.product_multipliers(scale_of(a), b.quantization.scales, scale_of(target))
    body = f"""\
static const tinyml_nn_matmul_params params = {{
{_batches(context, a, b, target, rows * depth, depth * columns)}
    .rows = {rows}, .depth = {depth}, .columns = {columns},
    .a_row = {a_row}, .a_step = {a_step}, .b_column = {b_column}, .b_step = {b_step},
    .a_offset = {-zero_point_of(a)}, .b_offset = {-zero_point_of(b)},
    .output_offset = {zero_point_of(target)},
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift}}};
tinyml_nn_matmul_s8(&params, {_values(context, "a", a)}, {_values(context, "b", b)},
    (int16_t*)(arena + {context.scratch_name}), {write(target)});
return 0;"""
    constants = tuple(
        Constant(role, tensor.data.astype(np.int8))
        for role, tensor in (("a", a), ("b", b))
        if tensor.data is not None
    )
    return Kernel(body, constants, scratch_bytes=depth * _INT16_BYTES)


def _values(context: OpContext, role: str, tensor: Tensor) -> str:
    return read(tensor) if tensor.data is None else context.array(role)


def _batches(context: OpContext, a: Tensor, b: Tensor, target: Tensor, a_size: int, b_size: int) -> str:
    """How the matrices of the batches meet."""
    try:
        shape = layout.broadcast(a.shape[:-2], b.shape[:-2], target.shape[:-2])
    except ValueError as error:
        context.refuse(f"multiplies batches that do not meet: {error}", "Convert the model again.")
    missing = _BATCH_RANK - len(shape.size)
    size = layout.initialiser((1,) * missing + shape.size)
    a_batch, b_batch = (
        layout.initialiser((0,) * missing + tuple(step * values for step in steps))
        for steps, values in ((shape.a, a_size), (shape.b, b_size))
    )
    return f"    .batches = {size}, .a_batch = {a_batch}, .b_batch = {b_batch},"
