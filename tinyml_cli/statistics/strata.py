"""Whether something happens more often afterwards, judged within strata, such as within each device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counted = tuple[int, int]
"""How many of how many."""

_Z95 = 1.6449


@dataclass(frozen=True)
class ShareChange:
    """What changed within strata.

    Attributes:
        n: observations afterwards, in strata that have some before too.
        difference: of shares, weighted after Mantel and Haenszel.
        upper: its one-sided 95 % limit.
        p: one-sided: the probability of so many or more events afterwards, if nothing had changed.
    """

    n: int
    difference: float
    upper: float
    p: float


def change(before: Sequence[Counted], after: Sequence[Counted]) -> ShareChange:
    """Compares shares before and after within strata; strata that lack one of them say nothing.

    The p-value is exact: given each stratum's margins, the events afterwards are hypergeometric, and their
    sum has the convolution of these distributions (J. J. Gart, "The comparison of proportions: a review of
    significance tests, confidence intervals and adjustments for stratification", Review of the International
    Statistical Institute 39, 1971). The variance of the difference is that of T. Sato, "On the variance
    estimator for the Mantel-Haenszel risk difference", Biometrics 45, 1989, good for few large and for many
    small strata. Where nothing varies, the limit is that of no event in n, 1 - 0.05^(1/n).
    """
    strata = [(x, n, y, m) for (y, m), (x, n) in zip(before, after, strict=True) if n and m]
    n_after = sum(n for _, n, _, _ in strata)
    if not strata:
        return ShareChange(0, 0.0, 1.0, 1.0)
    weight = sum(n * m / (n + m) for _, n, _, m in strata)
    difference = sum((x * m - y * n) / (n + m) for x, n, y, m in strata) / weight
    p = sum((n * n * y - m * m * x + n * m * (m - n) / 2) / (n + m) ** 2 for x, n, y, m in strata)
    q = sum((x * (m - y) + y * (n - x)) / (2 * (n + m)) for x, n, y, m in strata)
    deviation = math.sqrt(max(0.0, difference * p + q)) / weight
    least = 1 - 0.05 ** (1 / n_after)
    return ShareChange(
        n_after, difference, min(1.0, difference + max(_Z95 * deviation, least)), _tail(strata)
    )


def share_tail(events: int, trials: int, share: float) -> float:
    """P(X >= events) of a binomial variable; 0 < share < 1."""
    return math.fsum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(events, trials + 1)
    )


def _tail(strata: Sequence[tuple[int, int, int, int]]) -> float:
    """P(events afterwards >= those seen), given all margins."""
    pmf, least, seen = np.ones(1), 0, 0
    for x, n, y, m in strata:
        low, own = _hypergeometric(n, m, x + y)
        pmf, least, seen = np.convolve(pmf, own), least + low, seen + x
    return float(min(1.0, pmf[max(0, seen - least) :].sum()))


def _hypergeometric(n: int, m: int, events: int) -> tuple[int, NDArray[np.float64]]:
    """The smallest count in the first `n` of n + m, and the probabilities of it and those above it."""
    low, high = max(0, events - m), min(n, events)
    logs = [_choose(n, k) + _choose(m, events - k) - _choose(n + m, events) for k in range(low, high + 1)]
    return low, np.exp(np.array(logs))


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
