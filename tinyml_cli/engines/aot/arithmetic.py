"""Fixed-point constants, bit-identical to TensorFlow Lite's.

Source of the scheme: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (2018), section 2.2. Where TensorFlow Lite rounds in single precision
(activation ranges), so does this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1

_SOFTMAX_INTEGER_BITS = 5
_CLAMPS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
ACTIVATIONS = tuple(_CLAMPS)


@dataclass(frozen=True)
class Multiplier:
    """real = significand * 2^(shift - 31); a positive shift is to the left."""

    significand: int
    shift: int


def quantize_multiplier(real: float) -> Multiplier:
    """A real multiplier >= 0 as 31-bit significand and power of two.

    Raises:
        ValueError: negative, not finite, or 2^31 and more.
    """
    if not (math.isfinite(real) and real >= 0):
        raise ValueError(f"multiplier {real}")
    if real == 0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    significand = math.floor(fraction * (1 << 31) + 0.5)
    if significand == 1 << 31:
        significand //= 2
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    if shift > 31:
        raise ValueError(f"multiplier {real}")
    return Multiplier(significand, shift)


def product_multipliers(
    input_scale: np.float32, weight_scales: npt.NDArray[np.float32], output_scale: np.float32
) -> list[Multiplier]:
    """input_scale * weight_scale / output_scale in double precision, for each weight scale."""
    return [
        quantize_multiplier(float(input_scale) * float(scale) / float(output_scale))
        for scale in weight_scales
    ]


def mean_multiplier(input_scale: np.float32, output_scale: np.float32, count: int) -> Multiplier:
    """The rescale of a sum over `count` elements, with the division folded in."""
    scale = quantize_multiplier(float(input_scale) / float(output_scale))
    shift = min(count.bit_length() - 1, 32, 31 + scale.shift)
    return Multiplier((scale.significand << shift) // count, scale.shift - shift)


def activation_range(
    activation: str, scale: np.float32, zero_point: int, limits: tuple[int, int] = (INT8_MIN, INT8_MAX)
) -> tuple[int, int]:
    """The clamp of a fused activation within the type's limits: (lowest, highest).

    Raises:
        KeyError: the activation is not one of ACTIVATIONS.
        ValueError: the scale is too small for the range.
    """
    low, high = _CLAMPS[activation]

    def quantized(value: float) -> int:
        with np.errstate(over="ignore"):
            ratio = float(np.float32(value) / np.float32(scale))
        if not abs(ratio) < 1 << 31:  # TensorFlow Lite refuses it too
            raise ValueError(f"scale {scale}")
        return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    lowest = limits[0] if low is None else max(limits[0], quantized(low))
    highest = limits[1] if high is None else min(limits[1], quantized(high))
    return lowest, highest


def inverse(multiplier: Multiplier) -> Multiplier:
    """1 / multiplier for a multiplier above 1."""
    return quantize_multiplier(math.ldexp(1 / multiplier.significand, 31 - multiplier.shift))


@dataclass(frozen=True)
class SoftmaxConstants:
    """Difference to the maximum * `multiplier` = exponent in Q5.26; below `diff_min` exp() counts as 0."""

    multiplier: Multiplier
    diff_min: int


def softmax_constants(beta: float, input_scale: np.float32) -> SoftmaxConstants:
    """Constants of the int8 SOFTMAX for exponents in Q5.26.

    Raises:
        ValueError: beta * scale is so small (2^-26 and less) that every output would be the same.
    """
    fractional_bits = 31 - _SOFTMAX_INTEGER_BITS
    real = min(beta * float(input_scale) * (1 << fractional_bits), float((1 << 31) - 1))
    if real <= 1:
        raise ValueError(f"softmax scale {real}")
    multiplier = quantize_multiplier(real)
    radius = ((1 << _SOFTMAX_INTEGER_BITS) - 1) * (1 << fractional_bits) / (1 << multiplier.shift)
    return SoftmaxConstants(multiplier, -math.floor(radius))
