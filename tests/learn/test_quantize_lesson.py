"""A matrix in whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.learn.quantize import BITS, AffineGrid, _measured

_VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(_VALUES, st.sampled_from(BITS), st.booleans())
def test_no_value_moves_by_more_than_half_a_step(values: list[float], bits: int, symmetric: bool) -> None:
    matrix = np.array([values])
    grid = AffineGrid.of(matrix, bits, symmetric)
    whole = grid.whole(matrix)
    assert -(2 ** (bits - 1)) <= whole.min() <= whole.max() < 2 ** (bits - 1)
    assert np.abs(grid.real(whole) - matrix).max() <= grid.scale / 2 * (1 + 1e-6)
    zero = np.zeros((1, 1))
    assert grid.real(grid.whole(zero)) == 0
    assert not symmetric or grid.zero_point == 0
    measured = _measured(matrix, bits, symmetric)
    assert measured.distinct <= min(2**bits, len(set(values)))
    assert measured.sqnr_db is None or np.isfinite(measured.sqnr_db)


def test_a_bit_halves_the_error_and_an_outlier_multiplies_it() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, (100, 100))
    errors = [_measured(values, bits, False).rms_error for bits in BITS]
    for more, fewer in zip(errors[1:], errors[:-1], strict=True):
        assert fewer / more == pytest.approx(2, rel=0.2)
    values[0, 0] = 100
    assert _measured(values, 8, False).rms_error > 20 * errors[-1]
