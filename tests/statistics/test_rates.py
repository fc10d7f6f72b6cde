"""Intervals of a rate of rare events, against published tables and by their own coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinyml_cli.statistics.rates import exposure_needed, poisson_interval, upper_limit


@pytest.mark.parametrize(
    ("events", "low", "high"),
    # Pearson and Hartley, Biometrika Tables for Statisticians, vol. 1, table 40.
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (2, 0.242, 7.225), (10, 4.795, 18.39), (50, 37.11, 65.92)],
)
def test_limits_are_those_of_the_tables(events: int, low: float, high: float) -> None:
    assert poisson_interval(events, 1.0) == pytest.approx((low, high), rel=1e-3)
    assert poisson_interval(events, 4.0) == pytest.approx((low / 4, high / 4), rel=1e-3)


def test_no_event_gives_the_rule_of_three() -> None:
    assert upper_limit(0, 6.0) == pytest.approx(-math.log(0.05) / 6)
    assert exposure_needed(0.5) == pytest.approx(5.99, abs=0.01)
    hours = exposure_needed(0.5, 3)
    assert upper_limit(3, hours) == pytest.approx(0.5)


@pytest.mark.parametrize("mean", [0.3, 1.0, 4.0, 25.0])
def test_the_interval_covers_at_least_as_often_as_it_says(mean: float) -> None:
    counts, times = np.unique(np.random.default_rng(1).poisson(mean, 20_000), return_counts=True)
    covered = 0
    for count, n in zip(counts.tolist(), times.tolist(), strict=True):
        low, high = poisson_interval(count, 1.0)
        covered += n if low <= mean <= high else 0
    assert covered / 20_000 > 0.947


def test_many_events_stay_finite() -> None:
    low, high = poisson_interval(2000, 10.0)
    assert low == pytest.approx(200 - 1.96 * math.sqrt(2000) / 10, rel=3e-3)
    assert high == pytest.approx(200 + 1.96 * math.sqrt(2000) / 10, rel=3e-3)


@pytest.mark.parametrize(("events", "exposure"), [(-1, 1.0), (1, 0.0), (0, -2.0)])
def test_impossible_counts_are_refused(events: int, exposure: float) -> None:
    with pytest.raises(ValueError, match="events in"):
        poisson_interval(events, exposure)
