"""Chance: what it would have right, and what is told from it."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.evaluation.chance import chance_agreement, is_better_than_chance, warn


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


def test_the_exact_binomial_test() -> None:
    # Of 10 throws of a coin 9 are rare (11/1024 = 0.0107), 8 are not (56/1024 = 0.0547).
    assert is_better_than_chance(9, 10, 0.5)
    assert not is_better_than_chance(8, 10, 0.5)
    assert not is_better_than_chance(0, 0, 0.5)
    assert not is_better_than_chance(10, 10, 1.0)


def test_a_guesser_is_found_out_about_19_times_of_20() -> None:
    rng = np.random.default_rng(0)
    passed = [is_better_than_chance(int(rng.binomial(200, 0.25)), 200, 0.25) for _ in range(400)]
    assert np.mean(passed) < 0.07


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
