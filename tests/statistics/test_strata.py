"""Shares before and after within strata."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinyml_cli.statistics.strata import change, share_tail


def _fisher(x: int, n: int, y: int, m: int) -> float:
    """Fisher's exact test, one-sided, by counting."""
    total = math.comb(n + m, x + y)
    ways = (math.comb(n, k) * math.comb(m, x + y - k) for k in range(x, min(n, x + y) + 1))
    return sum(ways) / total


@pytest.mark.parametrize(("x", "n", "y", "m"), [(3, 10, 1, 10), (0, 5, 3, 7), (7, 7, 0, 9), (40, 90, 30, 80)])
def test_one_stratum_is_fishers_test(x: int, n: int, y: int, m: int) -> None:
    found = change([(y, m)], [(x, n)])
    assert found.p == pytest.approx(_fisher(x, n, y, m))
    assert found.difference == pytest.approx(x / n - y / m)
    assert found.upper >= found.difference


def test_strata_that_differ_among_themselves_are_no_change() -> None:
    """Pooled, the second kind of device would look like a change for the worse."""
    before, after = [(2, 100), (90, 100)], [(1, 50), (180, 200)]
    found = change(before, after)
    assert abs(found.difference) < 0.01 and found.p > 0.3
    pooled = change([(92, 200)], [(181, 250)])
    assert pooled.p < 1e-6


def test_strata_without_one_side_say_nothing() -> None:
    assert change([], []).p == 1.0
    assert change([(0, 0), (3, 10)], [(9, 9), (3, 10)]) == change([(3, 10)], [(3, 10)])


def test_p_values_are_honest() -> None:
    """Where nothing changes, p is below 0.05 in at most 5 % of cases, the limit below 0 in about 6 %."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        shares = rng.uniform(0.05, 0.5, 6)
        before = [(int(rng.binomial(40, share)), 40) for share in shares]
        after = [(int(rng.binomial(15, share)), 15) for share in shares]
        found.append(change(before, after))
    assert sum(each.p < 0.05 for each in found) <= 15  # P(X > 15) < 0.05 of 200 with 0.05
    assert sum(each.upper < 0 for each in found) <= 20  # P(X > 20) < 0.05 with 0.065


def test_binomial_tail() -> None:
    assert share_tail(0, 5, 0.1) == pytest.approx(1.0)
    assert share_tail(2, 2, 0.05) == pytest.approx(0.0025)
