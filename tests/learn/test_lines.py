"""Lines through points: the loss, its gradient, and the rate at which descent breaks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.errors import TinymlError
from tinyml_cli.learn import inputs
from tinyml_cli.learn.descent import _descend
from tinyml_cli.learn.line import LineFit

_NUMBER = st.floats(-50, 50)
_POINTS = st.lists(st.tuples(st.integers(-9, 9), _NUMBER), min_size=2, max_size=9, unique_by=lambda p: p[0])


@settings(max_examples=30, deadline=None)
@given(_POINTS, _NUMBER, _NUMBER)
def test_the_gradient_is_the_slope_of_the_loss(points: list[tuple[int, float]], w: float, b: float) -> None:
    fit = LineFit(np.array(points, np.float64))
    step = 1e-4
    along_w = (fit.loss(w + step, b) - fit.loss(w - step, b)) / (2 * step)
    along_b = (fit.loss(w, b + step) - fit.loss(w, b - step)) / (2 * step)
    assert fit.gradient(w, b) == pytest.approx((along_w, along_b), rel=1e-4, abs=1e-3)
    assert fit.loss(*fit.best()) <= fit.loss(w, b) + 1e-9


@settings(max_examples=30, deadline=None)
@given(_POINTS)
def test_descent_breaks_at_the_rate_that_is_told(points: list[tuple[int, float]]) -> None:
    fit = LineFit(np.array(points, np.float64))
    w, b = fit.best()
    for factor, is_closer in ((0.9, True), (1.1, False)):
        path = _descend(fit, factor * fit.largest_rate(), (w + 1, b + 1), 200)
        assert (path[-1].loss < path[0].loss) is is_closer


@given(st.lists(st.lists(_NUMBER, min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_matrix_is_read_as_it_is_written(rows: list[list[float]]) -> None:
    for column, line in ((",", ";"), (" ", "\n"), (", ", " ; ")):
        text = line.join(column.join(map(repr, row)) for row in rows)
        assert inputs.matrix(text, "here").tolist() == rows


@pytest.mark.parametrize(
    "text", ["", ";", "1,", "1,2;3", "1,x", "1,nan", "inf,1", "1e7,2", "1;;2", "[1,2]", "１,,2"]
)
def test_what_is_no_matrix_is_refused(text: str) -> None:
    with pytest.raises(TinymlError) as caught:
        inputs.matrix(text, "--points")
    assert caught.value.where == "--points"
    assert caught.value.next_step
    assert json.dumps(caught.value.as_dict())


@pytest.mark.parametrize("text", ["1,2", "1,2;1,3", "1,2,3;4,5,6", "1;2", "1,2;1.0000000001,3"])
def test_points_that_hold_no_line_are_refused(text: str) -> None:
    with pytest.raises(TinymlError):
        inputs.points(text, "--points")


@pytest.mark.parametrize("text", ["0", "1.5", "-1", "11", "a"])
def test_counts_are_whole_and_within_bounds(text: str) -> None:
    with pytest.raises(TinymlError):
        inputs.counts(text, "--snapshots", 10)
    assert inputs.counts("10,1,1", "--snapshots", 10) == [1, 10]
