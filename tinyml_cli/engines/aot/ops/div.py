"""DIV of int8 values."""

from __future__ import annotations

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, scale_of, zero_point_of
from tinyml_cli.engines.aot.ops.binary import BinaryFunction, broadcast

# The mantissa of a quotient of int8 values is shifted left by at least so much.
_LARGEST_SHIFT = 22


def div(context: OpContext) -> Kernel:
    """DIV; a division by 0 gives the end of the output's range, 0 / 0 its zero point."""
    a, b, target = context.operand(0), context.operand(1), context.output()
    # TensorFlow Lite Micro divides these scales in single precision.
    multiplier = arithmetic.quantize_multiplier(float(scale_of(a) / (scale_of(b) * scale_of(target))))
    if multiplier.shift > _LARGEST_SHIFT:
        context.refuse(
            f"divides values whose ratio is 2^{multiplier.shift} steps of the output's scale",
            "Train and quantise the model again.",
        )
    lowest, highest = context.clamp_range(target)
    params = f"""\
static const tinyml_nn_div_s8_params params = {{
    .a_offset = {-zero_point_of(a)}, .b_offset = {-zero_point_of(b)}, .multiplier = {multiplier.significand},
    .shift = {multiplier.shift}, .output_offset = {zero_point_of(target)},
    .lowest = {lowest}, .highest = {highest}}};
"""
    return broadcast(context, a, b, target, BinaryFunction("tinyml_nn_div_s8", params=params))
