from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.statistics.calibration_curve import reliability
from tinyml_cli.statistics.curves import mean_auc, one_against_rest, roc_curve

# Three of the class at 0.9, 0.6, 0.4 and two others at 0.6, 0.1. By hand: of six pairs, four are in
# order (0.9 > both, 0.6 > 0.1, 0.4 > 0.1), one ties, one is out of order: (4 + 0.5) / 6.
SCORES = np.array([0.9, 0.6, 0.4, 0.6, 0.1])
POSITIVE = np.array([True, True, True, False, False])


def test_roc_by_hand() -> None:
    curve = roc_curve("yes", SCORES, POSITIVE)
    assert curve is not None
    assert (curve.n_positive, curve.n_negative) == (3, 2)
    assert curve.auc == pytest.approx(4.5 / 6)
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.6, 0.4, 0.1], "equal scores are one point"
    assert curve.true_positive_rate == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert curve.false_positive_rate == pytest.approx([0, 0, 1 / 2, 1 / 2, 1])


def test_area_under_the_points_is_the_auc() -> None:
    rng = np.random.default_rng(7)
    positive = rng.random(200) < 0.3
    scores = np.round(rng.normal(positive * 1.0, 1.0), 1)
    curve = roc_curve("a", scores, positive)
    assert curve is not None
    assert np.trapezoid(curve.true_positive_rate, curve.false_positive_rate) == pytest.approx(curve.auc)


def test_equal_error_rate_lies_between_the_points() -> None:
    # Misses fall from 1/3 to 0 exactly where false positives stand at 1/2: the lines cross on the way to the
    # second point, (0, 1/3) -> (1/2, 2/3): misses 2/3 - 2x/3 meet false positives x at x = 2/5.
    curve = roc_curve("yes", SCORES, POSITIVE)
    assert curve is not None
    assert curve.equal_error_rate == pytest.approx(2 / 5)


def test_a_perfect_class_has_no_error() -> None:
    curve = roc_curve("a", np.array([0.2, 0.1, 0.9]), np.array([False, False, True]))
    assert curve is not None
    assert (curve.auc, curve.equal_error_rate) == (1.0, 0.0)


def test_a_class_alone_or_absent_has_no_curve() -> None:
    scores = np.array([[0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
    curves = one_against_rest(("a", "b", "c"), scores, np.array([0, 1]))
    assert list(curves) == ["a", "b"]
    assert mean_auc(curves) == 1.0
    assert mean_auc(one_against_rest(("a", "b", "c"), scores, np.array([0, 0]))) is None


def test_json_keeps_both_ends_of_a_long_curve() -> None:
    rng = np.random.default_rng(3)
    curve = roc_curve("a", rng.random(5000), rng.random(5000) < 0.5)
    assert curve is not None
    document = curve.outcome()
    assert len(document.thresholds) <= 101
    assert document.thresholds[0] is None
    assert (document.false_positive_rate[0], document.true_positive_rate[-1]) == (0.0, 1.0)


def test_reliability_by_hand() -> None:
    # Bin 0.9: two answers of 0.9 and 0.94, one right: |1/2 - 0.92| x 2/4. Bin 0.6: two of 0.6 and 0.62, both
    # right: |1 - 0.61| x 2/4. Together 0.21 + 0.195.
    scores = np.array([[0.9, 0.1], [0.94, 0.06], [0.6, 0.4], [0.38, 0.62]])
    outcome = reliability(scores, np.array([0, 1, 0, 1]))
    assert outcome is not None
    assert outcome.ece == pytest.approx(0.405)
    assert outcome.accuracy == 0.75
    assert outcome.confidence == pytest.approx((0.9 + 0.94 + 0.6 + 0.62) / 4)
    assert [(entry.low, entry.n, entry.accuracy) for entry in outcome.bins] == [
        (0.6, 2, 1),
        (0.9, 2, 0.5),
    ]


def test_a_believable_model_has_a_small_calibration_error() -> None:
    rng = np.random.default_rng(5)
    p = rng.random(20_000)
    outcome = reliability(np.column_stack([1 - p, p]), (rng.random(20_000) < p).astype(np.int64))
    assert outcome is not None
    assert outcome.ece < 0.015


@pytest.mark.parametrize("scores", [[[3.0, -1.0]], [[0.2, 0.2]], []])
def test_scores_that_are_no_probabilities_have_no_calibration(scores: list[list[float]]) -> None:
    assert reliability(np.array(scores, float).reshape(-1, 2), np.zeros(len(scores), np.int64)) is None
