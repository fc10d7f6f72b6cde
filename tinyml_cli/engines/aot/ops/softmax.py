"""SOFTMAX and LOG_SOFTMAX over our own kernels."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_AGAIN = "Convert the model again."
# The sum of a row is a Q12.19 number.
_LONGEST_ROW = (1 << 12) - 1
_INT16_SCALE_TOLERANCE = 0.001


def softmax(context: OpContext) -> Kernel:
    """SOFTMAX over the last dimension; the output is probability = (q + 128) / 256, with int16 / 65536."""
    target = context.result()
    wide = target.dtype == "int16" and target.quantization is not None
    bits = 16 if wide else 8
    target = target if wide else context.output()
    params = _params(context, target, 2.0**-bits, -(1 << (bits - 1)), context.option("beta"))
    return _kernel(
        context,
        target,
        f"""\
static const tinyml_nn_softmax_params params = {params};
tinyml_nn_softmax_{"s8_s16" if wide else "s8"}""",
    )


def log_softmax(context: OpContext) -> Kernel:
    """LOG_SOFTMAX over the last dimension; the output is log(probability) = (q - 127) / 16."""
    params = _params(context, context.output(), 1 / 16, arithmetic.INT8_MAX, beta=1.0)
    depth = context.activation().shape[-1]
    if depth > _LONGEST_ROW:
        context.refuse(
            f"adds the exponentials of {counted(depth, 'value')} (at most {_LONGEST_ROW})",
            "Use fewer classes.",
        )
    multiplier = arithmetic.softmax_constants(1.0, scale_of(context.activation())).multiplier
    inverse = arithmetic.inverse(multiplier)
    return _kernel(
        context,
        context.output(),
        f"""\
static const tinyml_nn_log_softmax_params params = {{
    .softmax = {params},
    .inverse_multiplier = {inverse.significand}, .inverse_shift = {inverse.shift}}};
tinyml_nn_log_softmax_s8""",
    )


def _params(context: OpContext, target: Tensor, scale: float, zero_point: int, beta: float) -> str:
    """The C initialiser of a tinyml_nn_softmax_params, after a check of the operands."""
    source = context.activation()
    # TensorFlow Lite Micro wants int8 exact; converters write the scale of int16 as 1/65535 too.
    tolerance = scale * _INT16_SCALE_TOLERANCE if target.dtype == "int16" else 0
    if abs(scale_of(target) - np.float32(scale)) > tolerance or zero_point_of(target) != zero_point:
        context.refuse(
            f"produces {target.label} without the scale {scale:g} and zero point {zero_point}", _AGAIN
        )
    if source.shape != target.shape or not source.shape or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    depth = source.shape[-1]
    constants = arithmetic.softmax_constants(beta, scale_of(source))
    return f"""{{
    .rows = {source.elements // depth}, .depth = {depth}, .multiplier = {constants.multiplier.significand},
    .shift = {constants.multiplier.shift}, .diff_min = {constants.diff_min}}}"""


def _kernel(context: OpContext, target: Tensor, call: str) -> Kernel:
    arguments = f"(&params, {read(context.activation())}, {write(target)});\nreturn 0;"
    # A row's maximum and sum are known before its first output is written, over the input it came from.
    return Kernel(call + arguments, may_overwrite=(0,) if target.dtype == "int8" else ())
