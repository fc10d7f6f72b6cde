"""Fixed-point constants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.engines.aot import arithmetic


@given(real=st.floats(1e-9, 1e9))
def test_a_multiplier_is_the_number_to_31_bits(real: float) -> None:
    made = arithmetic.quantize_multiplier(real)
    assert 1 << 30 <= made.significand < 1 << 31
    assert made.significand * 2.0 ** (made.shift - 31) == pytest.approx(real, rel=2**-30)


@pytest.mark.parametrize(
    ("real", "expected"),
    [(0.0, (0, 0)), (0.5, (1 << 30, 0)), (1.0, (1 << 30, 1)), (1e-12, (0, 0)), (1 - 1e-12, (1 << 30, 1))],
)
def test_multipliers_at_the_edges(real: float, expected: tuple[int, int]) -> None:
    made = arithmetic.quantize_multiplier(real)
    assert (made.significand, made.shift) == expected


@pytest.mark.parametrize("real", [-1.0, float("nan"), float("inf"), 2.0**40])
def test_multipliers_that_cannot_be(real: float) -> None:
    with pytest.raises(ValueError, match="multiplier"):
        arithmetic.quantize_multiplier(real)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("NONE", (-128, 127)), ("RELU", (-100, 127)), ("RELU6", (-100, 20)), ("RELU_N1_TO_1", (-120, -80))],
)
def test_activation_ranges(activation: str, expected: tuple[int, int]) -> None:
    assert arithmetic.activation_range(activation, np.float32(0.05), -100) == expected
