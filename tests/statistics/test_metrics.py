from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.statistics.metrics import Classification, confusion_matrix, wilson_interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17, 1998, table I, method 3 (score, no continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_matches_published_values(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_at_the_ends() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    low, high = wilson_interval(20, 20)
    assert high == 1.0
    assert low == pytest.approx(1 - 0.1611, abs=5e-5)
    with pytest.raises(ValueError, match="21 successes of 20"):
        wilson_interval(21, 20)


def test_confusion_has_true_classes_in_rows() -> None:
    matrix = confusion_matrix(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 3)
    assert matrix.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]


def test_classification_figures() -> None:
    result = Classification.of(("a", "b", "c"), np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]))
    assert (result.n, result.accuracy) == (4, 0.5)
    assert result.recall == {"a": pytest.approx(1 / 3), "b": 1.0, "c": None}
    assert result.precision == {"a": 1.0, "b": pytest.approx(1 / 3), "c": None}
    assert result.outcome().ci95 == wilson_interval(2, 4)
