"""The kernels' integer arithmetic in Python, bit for bit, for tables computed at export.

The counterpart of firmware/lib/tinyml_nn/fixed_point.h and softmax_s8.c. Rounding as in Jacob et al. (2018),
appendix B. Q4.27 has 4 integer and 27 fractional bits and a sign; constants are the named real numbers.
"""

from __future__ import annotations

from tinyml_cli.engines.aot.arithmetic import Multiplier

INT32_MAX = (1 << 31) - 1

_EXP_OF_MINUS_EIGHTH = 1895147668  # exp(-1/8) in Q0.31
_THIRD = 715827883  # 1/3 in Q0.31
_48_OVER_17 = 1515870810  # Q2.29
_MINUS_32_OVER_17 = -1010580540  # Q2.29
# exp(-2^k) in Q0.31 for k = -2, -1, ... 4
_EXP_OF_MINUS_POWER = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def wrap32(value: int) -> int:
    """The value of the lowest 32 bits."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def saturate(value: int, bits: int) -> int:
    """The nearest signed number of so many bits."""
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def multiply(a: int, b: int, bits: int = 32) -> int:
    """The product of two fractions (Q0.31, or Q0.15 with 16 bits), halves rounded up, saturated."""
    return saturate((a * b + (1 << (bits - 2))) >> (bits - 1), bits)


def divide_by_power_of_two(value: int, exponent: int) -> int:
    """value / 2^exponent, halves rounded away from zero."""
    remainder = value & ((1 << exponent) - 1)
    threshold = (((1 << exponent) - 1) >> 1) + (value < 0)
    return (value >> exponent) + (remainder > threshold)


def rescale(value: int, multiplier: Multiplier) -> int:
    """value * multiplier, rounded twice."""
    shifted = wrap32(value << max(multiplier.shift, 0))
    return divide_by_power_of_two(multiply(shifted, multiplier.significand), max(-multiplier.shift, 0))


def exp_of_negative(value: int, integer_bits: int) -> int:
    """exp(value) in Q0.31 for value <= 0 with `integer_bits` integer bits."""
    if value == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    fraction = (value & (quarter - 1)) - quarter
    rest = fraction - value
    result = _exp_of_small(fraction << integer_bits)
    for bit, factor in enumerate(_EXP_OF_MINUS_POWER[: integer_bits + 2]):
        if rest & (quarter << bit):
            result = multiply(result, factor)
    return result


def logistic(value: int) -> int:
    """1 / (1 + exp(-value)) in Q0.31 for a value in Q4.27."""
    if value == 0:
        return 1 << 30
    positive = saturate(_reciprocal_of_one_plus(exp_of_negative(-abs(value), 4)) << 1, 32)
    return positive if value > 0 else INT32_MAX - positive


def tanh(value: int) -> int:
    """tanh(value) in Q0.31 for a value in Q4.27."""
    if value == 0:
        return 0
    # The same bits in Q5.26 are the doubled value.
    reciprocal = _reciprocal_of_one_plus(exp_of_negative(-abs(value), 5))
    positive = saturate((reciprocal - (1 << 29)) << 2, 32)
    return positive if value > 0 else -positive


def _exp_of_small(x: int) -> int:
    """exp(x) in Q0.31 for x in [-1/4, 0) in Q0.31: a fourth-order Taylor series around -1/8."""
    y = x + (1 << 28)
    y2 = multiply(y, y)
    y3 = multiply(y2, y)
    y4_over_4 = divide_by_power_of_two(multiply(y2, y2), 2)
    rest = divide_by_power_of_two(multiply(y4_over_4 + y3, _THIRD) + y2, 1)
    return _EXP_OF_MINUS_EIGHTH + multiply(_EXP_OF_MINUS_EIGHTH, y + rest)


def _reciprocal_of_one_plus(x: int) -> int:
    """2 / (1 + x) in Q2.29 for x in [0, 1) in Q0.31, by three Newton steps."""
    half = (x + INT32_MAX + 1) // 2
    estimate = _48_OVER_17 + multiply(half, _MINUS_32_OVER_17)
    for _ in range(3):
        error = (1 << 29) - multiply(half, estimate)
        estimate += saturate(multiply(estimate, error) << 2, 32)
    return estimate
