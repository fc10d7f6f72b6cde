"""ARG_MAX and ARG_MIN along one dimension, over our own kernel; the output is int32."""

from __future__ import annotations

import math

from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, write
from tinyml_cli.engines.aot.ops.move import one_axis


def arg_max(context: OpContext) -> Kernel:
    """ARG_MAX; the first of equal values counts."""
    return _index(context, "tinyml_nn_arg_largest")


def arg_min(context: OpContext) -> Kernel:
    """ARG_MIN; the first of equal values counts."""
    return _index(context, "tinyml_nn_arg_smallest")


def _index(context: OpContext, function: str) -> Kernel:
    is_float = context.input().dtype == "float32"
    source = context.plain("float32", constant=False) if is_float else context.activation()
    target = context.result()
    axis = one_axis(context, 1, source)
    kept = (*source.shape[:axis], *source.shape[axis + 1 :])
    if target.dtype != "int32":
        context.refuse(
            f"produces {target.label} of type {target.dtype}", "Convert it with output_type=int32."
        )
    if target.shape != kept or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    outer, inner = math.prod(source.shape[:axis]), math.prod(source.shape[axis + 1 :])
    return Kernel(f"""\
static const tinyml_nn_arg_params params = {{
    .outer = {outer}, .count = {source.shape[axis]}, .inner = {inner}}};
{function}_{"f32" if is_float else "s8"}(&params, {read(source)}, {write(target)});
return 0;""")
