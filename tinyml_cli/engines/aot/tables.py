"""Unary int8 functions as tables of all 256 results, each computed as TensorFlow Lite Micro computes it.

A table is an array of 256 values indexed by the input byte read as unsigned: the result of int8
-1 is at 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import fixed_point
from tinyml_cli.engines.aot.arithmetic import (
    INT8_MAX,
    INT8_MIN,
    Multiplier,
    activation_range,
    quantize_multiplier,
)

Table = npt.NDArray[np.integer]

_INPUT_INTEGER_BITS = 4


def tabulate(
    function: Callable[[int], int], source: type[np.integer] = np.int8, target: type[np.integer] = np.int8
) -> Table:
    """The saturated results of `function` for every value of an 8-bit type."""
    inputs = np.arange(256, dtype=np.uint8).view(source)
    limits = np.iinfo(target)
    return np.array([min(max(function(int(q)), limits.min), limits.max) for q in inputs], target)


def requantize(
    source_zero: int,
    target_zero: int,
    multiplier: Multiplier,
    lowest: int = -(1 << 31),
    highest: int = 1 << 31,
) -> Callable[[int], int]:
    """(q - source_zero) * multiplier + target_zero, held within a range."""
    return lambda q: min(max(fixed_point.rescale(q - source_zero, multiplier) + target_zero, lowest), highest)


def ratio(source: np.float32, target: np.float32) -> Multiplier:
    """source / target, divided in single precision as RELU and ABS do."""
    with np.errstate(over="ignore"):
        return quantize_multiplier(float(np.float32(source) / np.float32(target)))


def relu(
    source: np.float32, source_zero: int, target: np.float32, target_zero: int, activation: str = "RELU"
) -> Callable[[int], int]:
    """A clamp after a change of scale."""
    lowest, highest = activation_range(activation, target, target_zero)
    return requantize(source_zero, target_zero, ratio(source, target), lowest, highest)


def relu6(source: np.float32, source_zero: int) -> Callable[[int], int]:
    """RELU6 keeps the bytes and clamps them on the input's scale, whatever the output's scale says."""
    six = activation_range("RELU6", source, source_zero)[1]
    return lambda q: six if q > six else max(q, source_zero)


def leaky_multipliers(
    source: np.float32, target: np.float32, alpha: float
) -> tuple[Multiplier, Multiplier, int]:
    """LEAKY_RELU's multipliers of positive and of negative inputs, and the sign of its slope."""
    ratio_of_scales = float(source) / float(target)
    slope = float(source) * float(np.float32(alpha)) / float(target)
    return quantize_multiplier(ratio_of_scales), quantize_multiplier(abs(slope)), -1 if slope < 0 else 1


def leaky_relu(
    source: np.float32, source_zero: int, target: np.float32, target_zero: int, alpha: float
) -> Callable[[int], int]:
    """Two multipliers, by the sign of the input."""
    positive, negative, sign = leaky_multipliers(source, target, alpha)

    def function(q: int) -> int:
        value = q - source_zero
        scaled = (
            fixed_point.rescale(value, positive)
            if value >= 0
            else sign * fixed_point.rescale(value, negative)
        )
        return scaled + target_zero

    return function


def absolute(
    source: np.float32, source_zero: int, target: np.float32, target_zero: int
) -> Callable[[int], int]:
    """|x|, with a change of scale only where the scales differ."""
    multiplier = ratio(source, target)
    if source == target:
        return lambda q: abs(q - source_zero) + target_zero
    return lambda q: fixed_point.rescale(abs(q - source_zero), multiplier) + target_zero


def logistic(source: np.float32, source_zero: int) -> Callable[[int], int]:
    """1 / (1 + exp(-x)) with the output scale 1/256 and zero point -128.

    Raises:
        ValueError: the scale is too small or too large for Q4.27.
    """
    return _sigmoid(source, source_zero, fixed_point.logistic, 23, INT8_MIN, (INT8_MIN, INT8_MAX))


def tanh(source: np.float32, source_zero: int) -> Callable[[int], int]:
    """tanh(x) with the output scale 1/128 and zero point 0.

    Raises:
        ValueError: the scale is too small or too large for Q4.27.
    """
    return _sigmoid(source, source_zero, fixed_point.tanh, 24, 0, (INT8_MIN, INT8_MAX))


def _sigmoid(
    scale: np.float32,
    zero: int,
    function: Callable[[int], int],
    shift: int,
    target_zero: int,
    limits: tuple[int, int],
) -> Callable[[int], int]:
    fraction_bits = 31 - _INPUT_INTEGER_BITS
    multiplier = quantize_multiplier(float(scale) * (1 << fraction_bits))
    if multiplier.shift < 0 or multiplier.significand == 0:
        raise ValueError(f"scale {scale}")
    largest = ((1 << _INPUT_INTEGER_BITS) - 1) * (1 << fraction_bits)
    radius = math.floor(largest / (1 << multiplier.shift))

    def result(q: int) -> int:
        value = q - zero
        if abs(value) >= radius:
            return limits[value > 0]
        exact = function(fixed_point.rescale(value, multiplier))
        return fixed_point.divide_by_power_of_two(exact, shift) + target_zero

    return result


def hard_swish(
    source: np.float32, source_zero: int, target: np.float32, target_zero: int
) -> Callable[[int], int]:
    """x * relu6(x + 3) / 6 in 16-bit fixed point.

    Raises:
        ValueError: the output's scale is so small that the result needs a shift to the left.
    """
    fine = np.float32(1 / 128) * np.float32(source)
    with np.errstate(over="ignore"):  # an infinite ratio is a ValueError
        out = quantize_multiplier(float(fine / np.float32(target)))
    gate = quantize_multiplier(float(fine / np.float32(3 / 32768)))
    if out.shift > 0:
        raise ValueError(f"scale {target}")
    out_factor, gate_factor = _upper_half(out), _upper_half(gate)

    def result(q: int) -> int:
        value = (q - source_zero) << 7
        scaled = fixed_point.multiply(value, out_factor, 16)
        # 32768 stands for 3; the last doubling is the one that may saturate.
        share = value
        if gate.shift > 0:
            share = fixed_point.saturate(share << (gate.shift - 1), 16)
        share = fixed_point.multiply(share, gate_factor, 16)
        if gate.shift > 0:
            share = fixed_point.saturate(share << 1, 16)
        elif gate.shift < 0:
            share = fixed_point.divide_by_power_of_two(share, -gate.shift)
        share = (share + (1 << 15)) >> 1
        product = abs(share * scaled) >> 15
        exact = product if share * scaled >= 0 else -product
        return fixed_point.divide_by_power_of_two(exact, -out.shift) + target_zero

    return result


def elu(source: np.float32, source_zero: int, target: np.float32, target_zero: int) -> Callable[[int], int]:
    """x where x >= 0, else exp(x) - 1, in single precision.

    Raises:
        ValueError: a result does not fit 32 bits.
    """
    # exp() in double precision, rounded: the C library's expf is as good as exact.
    return _in_single_precision(
        source,
        source_zero,
        target,
        target_zero,
        lambda x: x if x >= 0 else np.float32(math.exp(x)) - np.float32(1),
    )


def gelu(
    source: np.float32, source_zero: int, target: np.float32, target_zero: int, *, approximate: bool
) -> Callable[[int], int]:
    """x * P(X <= x) of a normal X, or its approximation by tanh, in single precision.

    Raises:
        ValueError: a result does not fit 32 bits.
    """
    f = np.float32

    def exact(x: np.float32) -> np.float32:
        return f(0.5) * x * f(math.erfc(x * f(-math.sqrt(0.5))))

    def by_tanh(x: np.float32) -> np.float32:
        argument = f(math.sqrt(2 / math.pi)) * x * (f(1) + f(0.044715) * x * x)
        return f(0.5) * x * (f(1) + f(math.tanh(argument)))

    function = by_tanh if approximate else exact
    return _in_single_precision(source, source_zero, target, target_zero, function)


def _in_single_precision(
    source: np.float32,
    source_zero: int,
    target: np.float32,
    target_zero: int,
    function: Callable[[np.float32], np.float32],
) -> Callable[[int], int]:
    """A real function, rounded to the nearest number of the output."""
    with np.errstate(over="ignore"):
        inverse = np.float32(1) / target

    def result(q: int) -> int:
        with np.errstate(over="ignore"):
            scaled = float(function(source * np.float32(q - source_zero)) * inverse)
        if not abs(scaled) < 1 << 30:
            raise ValueError(f"scale {target}")
        return int(math.copysign(math.floor(abs(scaled) + 0.5), scaled)) + target_zero

    return result


def _upper_half(multiplier: Multiplier) -> int:
    """The 16-bit significand of a multiplier."""
    if multiplier.significand >= fixed_point.INT32_MAX - (1 << 15):
        return (1 << 15) - 1
    return (multiplier.significand + (1 << 15)) >> 16
