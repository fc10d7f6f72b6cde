"""Whether two classifiers differ by more than chance on the same items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Paired:
    """Two models on their common items.

    Attributes:
        n: items.
        only_first: items that only the first got right.
        only_second: items that only the second got right.
        p: exact two-sided p-value of McNemar's test.
    """

    n: int
    only_first: int
    only_second: int
    p: float

    @property
    def within_chance(self) -> bool:
        """Whether the difference may be chance, at the 5 % level."""
        return self.p >= SIGNIFICANT


def exact_p(only_first: int, only_second: int) -> float:
    """Two-sided p-value: under the null hypothesis, an item that only one model got right is equally likely
    to be either's.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12, 1947, in the exact binomial form: min(1, 2 sum_{i<=min(b,c)} C(b+c, i) / 2^(b+c)).
    """
    n = only_first + only_second
    tail = sum(math.comb(n, i) for i in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def paired(first: Mapping[str, bool], second: Mapping[str, bool]) -> Paired | None:
    """Pairs two models by item; None if they have no common item.

    Args:
        first: item key -> whether the first model was right.
        second: the same for the second model.
    """
    shared = first.keys() & second.keys()
    if not shared:
        return None
    only_first = sum(first[key] and not second[key] for key in shared)
    only_second = sum(second[key] and not first[key] for key in shared)
    return Paired(len(shared), only_first, only_second, exact_p(only_first, only_second))
