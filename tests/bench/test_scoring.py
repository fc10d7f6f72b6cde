"""Scores and areas against definitions worked out otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.bench.bench import summarise
from tinyml_cli.engines.benchmarks import BENCHMARKS
from tinyml_cli.statistics.curves import roc_auc


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([float(score) for score, _ in rows]), np.array([flag for _, flag in rows])
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores[positive]
        for low in scores[~positive]
    ]
    area = roc_auc(scores, positive)
    if not pairs:
        assert area is None
    else:
        assert area == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_summary_of_scores() -> None:
    results = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    summary = summarise(results, np.array([0, 1, 1, 1]), BENCHMARKS["vww"])
    assert (summary.top1, summary.correct, summary.auc) == (0.75, 3, 1.0)
    low, high = summary.ci95
    assert low < 0.75 < high
    three = np.eye(3)
    assert summarise(three, np.array([0, 1, 2]), BENCHMARKS["model"]).auc == 1.0
    assert summarise(three, np.array([0, 1, 1]), BENCHMARKS["model"]).auc is None


def test_summary_of_anomaly_scores() -> None:
    results = np.array([[1.0], [2.0], [3.0], [1.5]])
    assert summarise(results, np.array([0, 1, 1, 0]), BENCHMARKS["ad"]).as_dict() == {"auc": 1.0}
