"""Whether two models differ by more than chance in a figure that each item has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_ROUNDS = 2000
_SEED = 1979


@dataclass(frozen=True)
class MeanDifference:
    """The mean of a figure over common items, the second model's minus the first's.

    Attributes:
        n: items.
        difference: of the means.
        ci95: percentile bootstrap over items (B. Efron, "Bootstrap methods", Annals of Statistics 7, 1979).
    """

    n: int
    difference: float
    ci95: tuple[float, float]


def mean_difference(first: Mapping[str, float], second: Mapping[str, float]) -> MeanDifference | None:
    """Pairs two models by item; None if they have no common item.

    Args:
        first: item key -> figure of the first model.
        second: the same for the second model.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    differences = np.array([second[key] - first[key] for key in shared])
    drawn = np.random.default_rng(_SEED).integers(len(shared), size=(_ROUNDS, len(shared)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return MeanDifference(len(shared), float(differences.mean()), (float(low), float(high)))
