"""Chance: what it would have right, and what is told from it."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.statistics.chance import chance_agreement, is_better_than_chance, warn


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
    ("int8", "is_better"),
    [
        ({"confusion": [[40, 2], [3, 30]]}, True),
        ({"confusion": [[40, 0], [35, 0]]}, False),
        ({"auc_ci95": [0.61, 0.9]}, True),
        ({"auc_ci95": [0.4, 0.7]}, False),
        ({"auc_ci95": None}, None),
    ],
)
def test_an_evaluation_says_so(
    int8: dict[str, object], is_better: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    warn({"int8": int8})
    assert int8.get("better_than_chance") is is_better
    assert ("no better than chance" in capsys.readouterr().err) is (is_better is False)
