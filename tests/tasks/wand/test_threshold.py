"""The wand's threshold is met on what it was chosen by, and counts as it says."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.tasks.wand.threshold import answers, choose_threshold, operating_point


def scores(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    logits = rng.normal(0, 1.5, (n, 4)) + 2 * np.eye(4)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("wanted", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_few_enough_unknown_motions_pass(wanted: float, seed: int) -> None:
    values, labels = scores(400, seed)
    chosen = choose_threshold(values, labels, wanted)
    assert chosen["false_accepts"] <= wanted
    lower = operating_point(values, labels, chosen["threshold"] - 0.002)
    assert chosen["threshold"] == 0.5 or lower.false_accepts > wanted


def test_without_unknown_motions_half_sure_is_enough() -> None:
    values, labels = scores(100, 1)
    known = labels != 0
    chosen = choose_threshold(values[known], labels[known], 0.05)
    assert (chosen["threshold"], chosen["n_unknown"]) == (0.5, 0)


def test_a_low_score_is_unknown() -> None:
    values = np.array([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.9, 0.05, 0.05]])
    assert answers(values, 0.65).tolist() == [0, 2, 0]
    point = operating_point(values, np.array([0, 2, 1]), 0.65)
    assert (point.accuracy, point.false_accepts, point.missed) == (2 / 3, 0.0, 0.5)


def test_a_share_of_nothing_is_none() -> None:
    values = np.array([[0.1, 0.9]])
    assert operating_point(values, np.array([1]), 0.5).false_accepts is None
