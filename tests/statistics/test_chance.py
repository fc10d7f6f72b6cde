"""Chance: what it would have right, and what is told from it."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.statistics.chance import (
    chance_agreement,
    is_better_than_chance,
    warning_of_answers,
    warning_of_auc,
)


@pytest.mark.parametrize(
    ("confusion", "chance"),
    [
        ([[50, 0], [0, 50]], 0.5),
        ([[90, 0], [10, 0]], 0.9),  # always the commonest label
        ([[25, 25], [25, 25]], 0.5),
        ([[20, 5], [10, 15]], 0.5),  # Cohen's example: 50 proposals, kappa 0.4 of 0.7 right
    ],
)
def test_chance_agreement(confusion: list[list[int]], chance: float) -> None:
    assert chance_agreement(confusion) == pytest.approx(chance)


def test_fishers_tea() -> None:
    # Of 8 cups all right: 1 of 70 ways; 6 right: 17 of 70.
    assert is_better_than_chance([[4, 0], [0, 4]])
    assert not is_better_than_chance([[3, 1], [1, 3]])
    assert not is_better_than_chance([[0, 0], [0, 0]])
    assert not is_better_than_chance([[10]])


def test_rare_labels_that_are_always_found_are_not_luck() -> None:
    # 373 of 406 are right; to say `unknown` each time would have 400 right.
    assert is_better_than_chance([[367, 15, 18], [0, 3, 0], [0, 0, 3]])
    assert not is_better_than_chance([[400, 0, 0], [3, 0, 0], [3, 0, 0]])


def test_a_guesser_is_found_out_about_19_times_of_20() -> None:
    rng = np.random.default_rng(0)
    passed = []
    for _ in range(400):
        counts = np.zeros((3, 3), np.int64)
        np.add.at(counts, (rng.choice(3, 60, p=[0.8, 0.1, 0.1]), rng.choice(3, 60, p=[0.6, 0.2, 0.2])), 1)
        passed.append(is_better_than_chance(counts))
    assert 0.01 < np.mean(passed) < 0.08


@pytest.mark.parametrize(
    ("confusion", "is_better"), [([[40, 2], [3, 30]], True), ([[40, 0], [35, 0]], False)]
)
def test_answers_no_better_than_chance_get_a_warning(confusion: list[list[int]], is_better: bool) -> None:
    assert is_better_than_chance(confusion) is is_better
    assert ("no better than chance" in warning_of_answers(confusion)) is not is_better


@pytest.mark.parametrize(("ci95", "warned"), [((0.61, 0.9), False), ((0.4, 0.7), True), (None, False)])
def test_scores_no_better_than_chance_get_a_warning(ci95: tuple[float, float] | None, warned: bool) -> None:
    assert ("no better than chance" in warning_of_auc(ci95)) is warned
