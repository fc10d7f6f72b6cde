"""Whether answers are better than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console

SIGNIFICANCE = 0.05


def chance_agreement(confusion: NDArray[np.integer] | Sequence[Sequence[int]]) -> float:
    """The share that would be right by chance, were the same answers given without regard to the truth.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20,
    1960. A model that always answers the commonest label, and one that guesses, are right as often as this.

    Args:
        confusion: counts [labels, labels], rows true, columns answered.
    """
    counts = np.asarray(confusion, np.float64)
    return float(counts.sum(axis=1) @ counts.sum(axis=0) / max(counts.sum(), 1.0) ** 2)


def is_better_than_chance(right: int, n: int, chance: float) -> bool:
    """Whether `right` of `n` are so many that fewer than 1 in 20 tries by chance would reach it.

    The exact one-sided binomial test; E. Combrisson and K. Jerbi, "Exceeding chance level by chance", Journal
    of Neuroscience Methods 250, 2015, on why the share alone misleads where n is small.
    """
    if n == 0 or chance >= 1:
        return False
    if chance <= 0:
        return right > 0
    return 1 - binomial_at_most(right - 1, n, chance) < SIGNIFICANCE


def binomial_at_most(events: int, trials: int, share: float) -> float:
    """P(X <= events) of a binomial variable; 0 < share < 1."""
    first = math.lgamma(trials + 1)
    return math.fsum(
        math.exp(
            first
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * math.log(share)
            + (trials - k) * math.log1p(-share)
        )
        for k in range(events + 1)
    )


def warn(outcome: dict[str, Any]) -> None:
    """Enters into an evaluation whether int8 is better than chance; warns where it is not.

    Labels are judged by the test above, anomaly scores by the interval of the AUC, which is to lie above 0.5.
    """
    rounded = outcome["int8"]
    if "confusion" in rounded:
        counts = np.asarray(rounded["confusion"])
        right, n, chance = int(counts.trace()), int(counts.sum()), chance_agreement(counts)
        rounded["better_than_chance"] = is_better_than_chance(right, n, chance)
        if not rounded["better_than_chance"]:
            console.warn(warning(right, n, chance, "answers of the int8 model"))
    elif rounded.get("auc_ci95") is not None:
        rounded["better_than_chance"] = rounded["auc_ci95"][0] > 0.5
        if not rounded["better_than_chance"]:
            console.warn(
                f"no better than chance: the 95 % interval of the int8 model's AUC, "
                f"{rounded['auc_ci95'][0]:.3f}–{rounded['auc_ci95'][1]:.3f}, does not lie above 0.5"
            )


def warning(right: int, n: int, chance: float, where: str) -> str:
    """The sentence that is said where the test fails."""
    return (
        f"no better than chance: {right} of {n} {where} are right, and {chance * n:.0f} would be by guessing "
        f"(binomial test, p ≥ {SIGNIFICANCE:g}). Train for more epochs, or check the data: tinyml data check"
    )
