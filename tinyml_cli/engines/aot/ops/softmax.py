"""SOFTMAX over our own kernel."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, scale_of, write, zero_point_of


def softmax(context: OpContext) -> Kernel:
    """SOFTMAX over the last dimension; the output is probability = (q + 128) / 256."""
    source, target = context.activation(), context.output()
    if scale_of(target) != np.float32(1 / 256) or zero_point_of(target) != arithmetic.INT8_MIN:
        context.refuse(f"produces {target.label} with a scale other than 1/256", "Convert the model again.")
    if source.shape != target.shape or not source.shape or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    depth = source.shape[-1]
    constants = arithmetic.softmax_constants(context.option("beta"), scale_of(source))
    body = f"""\
const tinyml_nn_softmax_params params = {{
    .rows = {source.elements // depth}, .depth = {depth}, .multiplier = {constants.multiplier.significand},
    .shift = {constants.multiplier.shift}, .diff_min = {constants.diff_min}}};
tinyml_nn_softmax_s8(&params, {read(source)}, {write(target)});
return 0;"""
    # A row's maximum and sum are known before its first output is written, over the input it came from.
    return Kernel(body, may_overwrite=(0,))
