"""Whether answers are better than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNIFICANCE = 0.05
_TRIES = 1999


def chance_agreement(confusion: NDArray[np.integer] | Sequence[Sequence[int]]) -> float:
    """The accuracy expected by chance if the same answers were given independently of the truth.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20,
    1960. A model that always gives the commonest label, and one that guesses, reach this accuracy.

    Args:
        confusion: counts [labels, labels], rows true, columns answered.
    """
    counts = np.asarray(confusion, np.float64)
    return float(counts.sum(axis=1) @ counts.sum(axis=0) / max(counts.sum(), 1.0) ** 2)


def is_better_than_chance(confusion: NDArray[np.integer] | Sequence[Sequence[int]]) -> bool:
    """Whether fewer than 1 in 20 random trials are right as often.

    A permutation test: each trial assigns the same answers to the examples in random order. The binomial test
    with `chance_agreement` knows only the label shares, and cannot see that a rare label is always found.
    (1 + as good) / (1 + tries) after B. Phipson and G. Smyth, "Permutation P-values should never be zero",
    Statistical Applications in Genetics and Molecular Biology 9, 2010.

    Args:
        confusion: counts [labels, labels], rows true, columns answered.
    """
    counts = np.asarray(confusion, np.int64)
    as_good = int((_right_by_chance(counts) >= counts.trace()).sum())
    return (1 + as_good) / (1 + _TRIES) < SIGNIFICANCE


def _right_by_chance(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of right answers in each trial: tables with the same margins, drawn cell by cell."""
    rng = np.random.default_rng(0)
    free = np.tile(counts.sum(axis=0), (_TRIES, 1))
    right = np.zeros(_TRIES, np.int64)
    for row, examples in enumerate(counts.sum(axis=1)):
        left = np.full(_TRIES, examples)
        for column in range(len(counts)):
            drawn = rng.hypergeometric(free[:, column], free[:, column + 1 :].sum(axis=1), left)
            free[:, column] -= drawn
            left -= drawn
            if column == row:
                right += drawn
    return right


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


def warning_of_answers(confusion: NDArray[np.integer] | Sequence[Sequence[int]]) -> str:
    """What is wrong with answers that are no better than chance; "" otherwise."""
    counts = np.asarray(confusion)
    if is_better_than_chance(counts):
        return ""
    right, n = int(counts.trace()), int(counts.sum())
    return warning(right, n, chance_agreement(counts), "answers of the int8 model")


def warning_of_auc(ci95: tuple[float, float] | None) -> str:
    """The same of scores: the interval of their AUC must be above 0.5; None without one."""
    if ci95 is None or ci95[0] > 0.5:
        return ""
    return (
        f"no better than chance: the 95 % interval of the int8 model's AUC, {ci95[0]:.3f}–{ci95[1]:.3f}, is "
        "not entirely above 0.5"
    )


def warning(right: int, n: int, chance: float, where: str) -> str:
    """The warning when the test fails."""
    return (
        f"no better than chance: {right} of {n} {where} are correct; guessing would give {chance * n:.0f} "
        f"(permutation test, p ≥ {SIGNIFICANCE:g}). Train for more epochs, or check the data "
        "(tinyml data check FOLDER)."
    )
