"""GATHER: values at given indices along one dimension; values or indices may be constants."""

from __future__ import annotations

import math

import numpy as np

from tinyml_cli.engines.aot import layout
from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, read, write
from tinyml_cli.engines.aot.ops.move import one_box
from tinyml_cli.tflite.graph import Tensor

_AGAIN = "Convert the model again."


def gather(context: OpContext) -> Kernel:
    """GATHER of int8 values by int32 indices; a copy of a box where constant indices step evenly."""
    values, indices, target = context.operand(0), context.input(1), context.result()
    rank, axis = len(values.shape), context.option("axis")
    if context.option("batch_dims"):
        context.refuse("has batch dimensions", "Export it with --engine tflm.")
    if indices.dtype != "int32":
        context.refuse(f"takes indices of type {indices.dtype} ({indices.label})", "Use int32.")
    if not -rank <= axis < rank or not values.elements or not indices.elements:
        context.refuse(f"picks along axis {axis} of {list(values.shape)}", _AGAIN)
    axis %= rank
    if target.dtype != "int8" or target.shape != (
        *values.shape[:axis],
        *indices.shape,
        *values.shape[axis + 1 :],
    ):
        context.refuse(f"produces {list(target.shape)} from {list(values.shape)}", _AGAIN)
    if indices.data is not None:
        outside = [int(i) for i in indices.data.reshape(-1) if not 0 <= i < values.shape[axis]]
        if outside:
            context.refuse(f"picks number {outside[0]} of {values.shape[axis]}", _AGAIN)
        if values.data is None and (even := _evenly(context, values, indices, target, axis)):
            return even
    return _by_index(context, values, indices, target, axis)


def _evenly(context: OpContext, values: Tensor, indices: Tensor, target: Tensor, axis: int) -> Kernel | None:
    """The kernel for constant indices that are first, first + step, first + 2 * step, ..."""
    assert indices.data is not None
    picked = indices.data.reshape(-1).astype(np.int64)
    steps = np.unique(np.diff(picked))
    if len(steps) > 1:
        return None
    own = layout.strides(values.shape)
    size = (*values.shape[:axis], len(picked), *values.shape[axis + 1 :])
    along = int(steps[0]) * own[axis] if len(steps) else own[axis]
    return one_box(
        context, values, target, int(picked[0]) * own[axis], size, (*own[:axis], along, *own[axis + 1 :])
    )


def _by_index(context: OpContext, values: Tensor, indices: Tensor, target: Tensor, axis: int) -> Kernel:
    constants, names = [], []
    for role, tensor in (("values", values), ("indices", indices)):
        names.append(read(tensor) if tensor.data is None else context.array(role))
        if tensor.data is not None:
            constants.append(Constant(role, tensor.data))
    body = f"""\
static const tinyml_nn_gather_params params = {{
    .outer = {math.prod(values.shape[:axis])}, .count = {values.shape[axis]},
    .inner = {math.prod(values.shape[axis + 1 :])}, .picked = {indices.elements}}};
return tinyml_nn_gather(&params, {names[0]}, {names[1]}, {write(target)});"""
    return Kernel(body, tuple(constants))
