"""Tables of unary functions are close to the real ones; fixed point and layouts follow their definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.aot import fixed_point, layout, tables
from tinyml_cli.engines.aot.arithmetic import Multiplier
from tinyml_cli.tflite import interpret

QS = np.arange(-128, 128)


def in_order(table: tables.Table) -> np.ndarray:
    return table[QS].astype(int)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(scale=st.floats(1 / 512, 0.25, width=32), zero=st.integers(-128, 127))
def test_sigmoids_are_within_one_step(scale: float, zero: int) -> None:
    x = np.float32(scale) * (QS - zero)
    exact = {"logistic": 256 / (1 + np.exp(-x)) - 128, "tanh": 128 * np.tanh(x)}
    for name, values in exact.items():
        table = in_order(tables.tabulate(getattr(tables, name)(np.float32(scale), zero)))
        assert np.abs(table - np.clip(values, -128, 127)).max() <= 1.01, name
        assert (np.diff(table) >= 0).all(), name


@settings(max_examples=40, deadline=None, derandomize=True)
@given(scale=st.floats(1 / 64, 1 / 8, width=32), zero=st.integers(-100, 100))
def test_hard_swish_is_close(scale: float, zero: int) -> None:
    x = np.float32(scale) * (QS - zero)
    table = in_order(tables.tabulate(tables.hard_swish(np.float32(scale), zero, np.float32(scale), zero)))
    exact = np.clip(x * np.clip(x + 3, 0, 6) / 6 / scale + zero, -128, 127)
    assert np.abs(table - exact).max() <= 1.5


def test_a_scale_that_changes_nothing_is_the_identity() -> None:
    for zero in (-128, 0, 5, 127):
        same = tables.requantize(zero, zero, tables.ratio(np.float32(0.3), np.float32(0.3)))
        np.testing.assert_array_equal(in_order(tables.tabulate(same)), QS)


@pytest.mark.parametrize("scale", [1e-12, 40.0])
def test_scales_beyond_the_format_are_refused(scale: float) -> None:
    with pytest.raises(ValueError, match=r"scale|multiplier"):
        tables.logistic(np.float32(scale), 0)


@given(value=st.integers(-(1 << 31), (1 << 31) - 1), exponent=st.integers(0, 31))
def test_halves_are_rounded_away_from_zero(value: int, exponent: int) -> None:
    exact = abs(value) + (1 << exponent >> 1) >> exponent
    assert fixed_point.divide_by_power_of_two(value, exponent) == math.copysign(exact, value)


@given(
    value=st.integers(-(1 << 24), 1 << 24),
    significand=st.integers(1 << 30, (1 << 31) - 1),
    shift=st.integers(-20, 6),
)
def test_rescaling_is_multiplication(value: int, significand: int, shift: int) -> None:
    exact = value * significand * 2.0 ** (shift - 31)
    assert abs(fixed_point.rescale(value, Multiplier(significand, shift)) - exact) <= 1


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(tuple)


@given(target=SHAPES, seed=st.integers(0, 1000))
def test_broadcasting_is_numpys(target: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    keep = rng.integers(0, 3, (2, len(target)))
    a = tuple(n if k != 1 else 1 for n, k in zip(target, keep[0], strict=True))
    b = tuple(n if k != 2 or own == 1 else 1 for n, k, own in zip(target, keep[1], a, strict=True))
    values = [rng.integers(-9, 9, shape) for shape in (a, b)]
    made = layout.broadcast(a, b, target)
    walked = [
        [flat[sum(i * step for i, step in zip(index, steps, strict=True))] for index in np.ndindex(made.size)]
        for flat, steps in zip((v.reshape(-1) for v in values), (made.a, made.b), strict=True)
    ]
    expected = [np.broadcast_to(value, target).reshape(-1) for value in values]
    np.testing.assert_array_equal(walked, expected)


def test_neighbours_that_step_as_one_are_merged() -> None:
    assert layout.broadcast((1, 5, 7, 3), (1, 5, 7, 3), (1, 5, 7, 3)).size == (105,)
    assert layout.broadcast((1, 5, 7, 3), (3,), (1, 5, 7, 3)) == layout.Broadcast((35, 3), (3, 1), (0, 1))
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        layout.broadcast((2, 3), (4, 3), (4, 3))


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_is_that_of_litert(approximate: bool) -> None:
    """TensorFlow Lite Micro has none."""
    for source, zero, target, target_zero in [
        (0.05, 3, 0.03, -100),
        (1.0, -128, 0.5, -128),
        (0.001, 0, 0.002, 127),
    ]:
        model = Model()
        x, y = model.tensor((256, 1), source, zero), model.tensor((256, 1), target, target_zero)
        model.operator("GELU", [x], [y], "GeluOptions", approximate=approximate)
        function = tables.gelu(
            np.float32(source), zero, np.float32(target), target_zero, approximate=approximate
        )
        expected = interpret.run_int8(model.build([x], [y]), QS.astype(np.int8).reshape(1, 256, 1), "litert")
        np.testing.assert_array_equal(in_order(tables.tabulate(function)), expected.reshape(-1))
