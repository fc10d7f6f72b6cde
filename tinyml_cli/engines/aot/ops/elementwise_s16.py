"""ADD, SUB, MUL, LEAKY_RELU, LOGISTIC, TANH and SOFTMAX on int16 activations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic, tables
from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.engines.aot.ops.binary import BinaryFunction, broadcast
from tinyml_cli.tflite.graph import Tensor

_AGAIN = "Convert the model again."
# TensorFlow Lite adds int16 values on a common scale with this many fractional bits.
_SUM_FRACTION_BITS = 15
_SIGMOID_UNIT = 3 << 12
_LARGEST_SIGMOID_MULTIPLIER = (1 << 16) - 1
_POWER_OF_TWO_TOLERANCE = 1e-3
_SOFTMAX_SCALE, _SOFTMAX_TOLERANCE = 2.0**-15, 0.001 * 2.0**-15
_STEPS = 512


def add(context: OpContext) -> Kernel:
    """ADD."""
    return _sum(context, 1)


def sub(context: OpContext) -> Kernel:
    """SUB."""
    return _sum(context, -1)


def mul(context: OpContext) -> Kernel:
    """MUL."""
    a, b, target = _operands(context)
    multiplier = arithmetic.quantize_multiplier(
        float(scale_of(a)) * float(scale_of(b)) / float(scale_of(target))
    )
    lowest, highest = context.clamp_range(target)
    params = f"""\
static const tinyml_nn_mul_s16_params params = {{
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift},
    .lowest = {lowest}, .highest = {highest}}};
"""
    return broadcast(context, a, b, target, BinaryFunction("tinyml_nn_mul_s16", params=params))


def leaky_relu(context: OpContext) -> Kernel:
    """LEAKY_RELU, the only one of these whose zero points need not be 0."""
    source, target = context.input(), context.result()
    for tensor in (source, target):
        if tensor.dtype != "int16" or tensor.quantization is None or tensor.quantization.per_channel:
            context.refuse(f"works on {tensor.label} without a single scale", _AGAIN)
    _check_size(context, source, target)
    positive, negative, sign = tables.leaky_multipliers(
        scale_of(source), scale_of(target), context.option("alpha")
    )
    params = f"""\
static const tinyml_nn_leaky_relu_s16_params params = {{
    .input_offset = {-zero_point_of(source)}, .output_offset = {zero_point_of(target)},
    .multiplier = {positive.significand}, .shift = {positive.shift},
    .slope_multiplier = {negative.significand}, .slope_shift = {negative.shift},
    .is_down = {int(sign < 0)}}};
"""
    return _unary(params, "tinyml_nn_leaky_relu_s16", "&params", source, target)


def logistic(context: OpContext) -> Kernel:
    """LOGISTIC; the output is q / 32768."""
    return _sigmoid(context, "tinyml_nn_logistic_s16", shifts=(0,))


def tanh(context: OpContext) -> Kernel:
    """TANH; the output is q / 32768."""
    return _sigmoid(context, "tinyml_nn_tanh_s16", shifts=(0, 1))


def softmax(context: OpContext) -> Kernel:
    """SOFTMAX over the last dimension; the output is probability = q / 32768."""
    source, target = context.wide(), context.wide_output()
    if abs(float(scale_of(target)) - _SOFTMAX_SCALE) > _SOFTMAX_TOLERANCE:
        context.refuse(f"produces {target.label} without the scale {_SOFTMAX_SCALE:g}", _AGAIN)
    if source.shape != target.shape or not source.shape or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    depth = source.shape[-1]
    scale = float(scale_of(source)) * float(np.float32(context.option("beta"))) / (10.0 / 65535.0)
    multiplier = arithmetic.quantize_multiplier(scale)
    body = f"""\
static const tinyml_nn_softmax_s16_params params = {{
    .rows = {source.elements // depth}, .depth = {depth},
    .multiplier = {multiplier.significand}, .shift = {multiplier.shift},
    .exponential = {context.array("exponential")}, .inverse = {context.array("inverse")}}};
tinyml_nn_softmax_s16(&params, {read(source)}, {write(target)});
return 0;"""
    tables_ = Constant("exponential", _exponential()), Constant("inverse", _inverse())
    return Kernel(body, tables_)


def _sum(context: OpContext, sign: int) -> Kernel:
    a, b, target = _operands(context)
    scales = [float(scale_of(tensor)) for tensor in (a, b, target)]
    twice = 2 * max(scales[0], scales[1])
    left, right = (arithmetic.quantize_multiplier(scale / twice) for scale in scales[:2])
    out = arithmetic.quantize_multiplier(twice / ((1 << _SUM_FRACTION_BITS) * scales[2]))
    if out.shift > 0:
        context.refuse("adds values of scales 2^15 times the output's", "Train and quantise the model again.")
    lowest, highest = context.clamp_range(target)
    params = f"""\
static const tinyml_nn_add_s16_params params = {{
    .a_multiplier = {left.significand}, .a_shift = {left.shift},
    .b_multiplier = {right.significand}, .b_shift = {right.shift}, .b_sign = {sign},
    .multiplier = {out.significand}, .shift = {out.shift}, .lowest = {lowest}, .highest = {highest}}};
"""
    return broadcast(context, a, b, target, BinaryFunction("tinyml_nn_add_s16", params=params))


def _operands(context: OpContext) -> tuple[Tensor, Tensor, Tensor]:
    return context.wide(0, constant=True), context.wide(1, constant=True), context.wide_output()


def _sigmoid(context: OpContext, function: str, shifts: tuple[int, ...]) -> Kernel:
    source, target = context.wide(), context.wide_output()
    _check_size(context, source, target)
    exact, power = _power_of_two(scale_of(target))
    if not exact or power != -15:
        context.refuse(f"produces {target.label} without the scale 2^-15", _AGAIN)
    exact, power = _power_of_two(scale_of(source))
    if exact and power + 12 in shifts:
        multiplier, shift = 3 << power + 12, 0
    else:
        real, shift = float(scale_of(source)) * _SIGMOID_UNIT, 0
        while real <= 32767.0 / 2 and shift <= 30:
            real, shift = real * 2, shift + 1
        multiplier = int(real)
    if multiplier > _LARGEST_SIGMOID_MULTIPLIER:
        raise ValueError(f"scale {scale_of(source)}")
    return _unary("", function, f"{multiplier}, {shift}", source, target)


def _power_of_two(scale: np.float32) -> tuple[bool, int]:
    """Whether a scale is as good as 2^n, and n."""
    logarithm = np.float32(np.log(scale)) * (np.float32(1) / np.float32(np.log(np.float32(2))))
    power = math.floor(float(logarithm) + 0.5) if logarithm >= 0 else math.ceil(float(logarithm) - 0.5)
    return abs(float(logarithm) - power) < _POWER_OF_TWO_TOLERANCE, power


def _unary(params: str, function: str, argument: str, source: Tensor, target: Tensor) -> Kernel:
    call = f"{function}({argument}, {read(source)}, {write(target)}, {target.elements});\nreturn 0;"
    return Kernel(params + call, may_overwrite=(0,))


def _check_size(context: OpContext, source: Tensor, target: Tensor) -> None:
    if source.elements != target.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)


def _exponential() -> npt.NDArray[np.int16]:
    """exp(x) for -10..0."""
    return _table(np.float32(10.0) / np.float32(65535), 32767, math.exp)


def _inverse() -> npt.NDArray[np.int16]:
    """1 / (1 + x) for 0..1."""
    one = np.float32(1)
    return _table(one / np.float32(65535), -32768, lambda x: float(one / (one + np.float32(x))))


def _table(scale: np.float32, zero_point: int, function: Callable[[float], float]) -> npt.NDArray[np.int16]:
    """513 values between which TensorFlow Lite interpolates, in single precision as it makes them.

    Each but the last is moved by half of the error that interpolation has in the middle.
    """
    f = np.float32
    low, high = scale * f(-32768 - zero_point), scale * f(32767 - zero_point)
    step = (high - low) / f(_STEPS)
    output_scale = f(2.0) / f(65535)
    inverse = f(65536) / (output_scale * f(32767) - output_scale * f(-32768))

    def at(x: np.float32) -> np.float32:
        return f(function(float(f(x))))

    def rounded(x: np.float32) -> np.float32:
        return f(math.copysign(math.floor(abs(float(x)) + 0.5), float(x)))

    values = []
    for i in range(_STEPS):
        here, after = at(low + f(i) * step), at(low + f(i + 1) * step)
        middle = at(low + f(i) * step + step / f(2))
        interpolated = rounded((after * inverse + rounded(here * inverse)) / f(2))
        error = interpolated - rounded(middle * inverse)
        values.append(rounded(here * inverse) - rounded(error / f(2)))
    values.append(rounded(at(high) * inverse))
    return np.clip(np.array(values), -32768, 32767).astype(np.int16)
