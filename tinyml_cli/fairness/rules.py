"""Five rules that choose thresholds, found exactly: every threshold, or every combination, is considered.

Demographic parity makes the share of accepted items equal, equal opportunity (M. Hardt, E. Price, N. Srebro,
"Equality of opportunity in supervised learning", 2016) the recall, equal accuracy the accuracy. "Equal" is a
gap (largest rate minus smallest) of at most a tolerance. Among the thresholds within it, or with the smallest
gap where none are, a rule takes those of least cost. Thresholds are never mixed at random, as published
post-processing does: a board decides the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness.counts import ThresholdCounts
from tinyml_cli.outcomes.fairness import Measure, MistakeCosts, RuleName

Floats = NDArray[np.float64]

MEASURES: Mapping[RuleName, Measure | None] = {
    "single": None,
    "demographic-parity": "accepted_share",
    "equal-opportunity": "recall",
    "equal-accuracy": "accuracy",
    "least-cost": None,
}
"""Rule -> the rate that it makes equal; None for least cost alone."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Choice:
    """Levels of thresholds, one per group.

    Attributes:
        levels: one per group, indices into `Thresholds`.
        gap: largest minus smallest rate; None for a rule without one.
        cost: summed over all items.
        met: whether the gap is within the tolerance.
    """

    levels: tuple[int, ...]
    gap: float | None
    cost: float
    met: bool = True


def one_threshold(
    groups: Sequence[ThresholdCounts],
    everyone: ThresholdCounts,
    costs: MistakeCosts,
    measure: Measure | None,
    tolerance: float,
    current: int,
) -> Choice:
    """The threshold for all of least cost over everyone, with a gap within the tolerance if there is one.

    Of thresholds with equal results, the one nearest to the current one.

    Args:
        groups: counts of each group.
        everyone: counts of all items, those of no group too.
        costs: of mistakes.
        measure: the rate to make equal; None for none.
        tolerance: the largest gap that counts as equal.
        current: level of the threshold in use.
    """
    cost = everyone.costs(costs)
    if measure is None:
        level = _nearest(cost == cost.min(), current)
        return Choice((level,) * len(groups), None, float(cost[level]))
    rates = np.stack([group.rate(measure) for group in groups])
    gaps = rates.max(axis=0) - rates.min(axis=0)
    allowed = gaps <= max(tolerance, float(gaps.min())) + _ROUNDING
    least = cost[allowed].min()
    level = _nearest(allowed & (cost == least), current)
    gap = float(gaps[level])
    return Choice((level,) * len(groups), gap, float(cost[level]), gap <= tolerance + _ROUNDING)


def per_group(
    groups: Sequence[ThresholdCounts],
    costs: MistakeCosts,
    measure: Measure | None,
    tolerance: float,
    current: int,
) -> Choice:
    """A threshold for each group: of least cost together, with a gap within the tolerance if there is one.

    A gap is within it where all rates lie between some group's rate and the tolerance above it. So each rate
    of each group is taken for the lowest in turn, and each group takes its cheapest threshold in that range:
    exact for any number of groups, without going through their combinations.
    """
    if measure is None:
        levels = [_nearest(cost == cost.min(), current) for cost in (group.costs(costs) for group in groups)]
        return Choice(tuple(levels), None, _total(groups, costs, levels))
    lists = [_Points.of(group, costs, measure, current) for group in groups]
    lowest = np.unique(np.concatenate([points.rates for points in lists]))
    reach = np.max([points.next_rate(lowest) for points in lists], axis=0) - lowest
    allowed = max(tolerance, float(reach.min())) + _ROUNDING
    lowest = lowest[reach <= allowed]
    found = np.stack([points.cheapest(lowest, lowest + allowed) for points in lists])
    total = np.zeros(len(lowest))
    for points, rows in zip(lists, found, strict=True):
        total = total + points.costs[rows]
    best = int(total.argmin())
    rows = found[:, best]
    levels = [int(points.levels[row]) for points, row in zip(lists, rows, strict=True)]
    rates = [float(points.rates[row]) for points, row in zip(lists, rows, strict=True)]
    gap = max(rates) - min(rates)
    return Choice(tuple(levels), gap, _total(groups, costs, levels), gap <= tolerance + _ROUNDING)


def gap_of(groups: Sequence[ThresholdCounts], levels: Sequence[int], measure: Measure | None) -> float | None:
    """The gap at given thresholds, one level per group; None without a measure, or a group without a rate."""
    if measure is None:
        return None
    found = [group.hits(measure) for group in groups]
    if not all(n for _, n in found):
        return None
    rates = [float(hits[level] / n) for (hits, n), level in zip(found, levels, strict=True)]
    return max(rates) - min(rates)


def _total(groups: Sequence[ThresholdCounts], costs: MistakeCosts, levels: Sequence[int]) -> float:
    total = 0.0
    for group, level in zip(groups, levels, strict=True):
        total += float(group.costs(costs)[level])
    return total


@dataclass(frozen=True)
class _Points:
    """A group's distinguishable thresholds, by rising rate; of equal rates the cheapest first."""

    rates: Floats
    costs: Floats
    levels: NDArray[np.int64]
    table: list[NDArray[np.int64]]

    @classmethod
    def of(cls, group: ThresholdCounts, costs: MistakeCosts, measure: Measure, current: int) -> _Points:
        first = np.flatnonzero(np.any(np.diff(group.accepted, axis=1, prepend=-1) != 0, axis=0))
        last = np.append(first[1:], group.accepted.shape[1]) - 1
        levels = np.clip(current, first, last)
        rate, cost = group.rate(measure)[levels], group.costs(costs)[levels]
        order = np.lexsort((levels, cost, rate))
        rate, cost, levels = rate[order], cost[order], levels[order]
        # Sparse table of the cheapest of 2^k neighbours; of equal costs the earlier one.
        table = [np.arange(len(cost))]
        while 2 << (len(table) - 1) <= len(cost):
            below, step = table[-1], 1 << (len(table) - 1)
            left, right = below[:-step], below[step:]
            table.append(np.where(cost[right] < cost[left], right, left))
        return cls(rate, cost, levels, table)

    def next_rate(self, lowest: Floats) -> Floats:
        """The smallest rate that is not below each; infinite where there is none."""
        found: Floats = np.append(self.rates, np.inf)[np.searchsorted(self.rates, lowest - _ROUNDING)]
        return found

    def cheapest(self, low: Floats, high: Floats) -> NDArray[np.int64]:
        """The row of the cheapest point with a rate in each range, which has one."""
        start = np.searchsorted(self.rates, low - _ROUNDING)
        end = np.searchsorted(self.rates, high + _ROUNDING, "right")
        power = np.floor(np.log2(end - start)).astype(np.int64)
        rows = np.empty(len(low), np.int64)
        for k in np.unique(power):
            chosen = power == k
            left, right = self.table[k][start[chosen]], self.table[k][end[chosen] - (1 << k)]
            rows[chosen] = np.where(self.costs[right] < self.costs[left], right, left)
        return rows


def _nearest(chosen: NDArray[np.bool_], current: int) -> int:
    """The chosen level nearest to the current one; of two as near, the looser."""
    levels = np.flatnonzero(chosen)
    return int(levels[np.abs(levels - current).argmin()])
