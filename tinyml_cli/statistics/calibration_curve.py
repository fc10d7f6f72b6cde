"""Calibration of a model's confidence: are 80 % of the answers given with 80 % right?

Reliability diagram and expected calibration error after C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, section 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.outcomes.evaluations import Bin, Calibration
from tinyml_cli.statistics.metrics import wilson_interval

BINS = 10
# A quantised softmax may be a step outside 0..1, and need not sum to exactly 1.
_TOLERANCE = 0.05


def reliability(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> Calibration | None:
    """Compares the confidence of the highest score with how often it is right, in ten bins of equal width.

    Args:
        scores: float64 [n, classes], probabilities.
        truth: int64 [n].

    Returns:
        The expected calibration error (the mean over examples of |right - confidence| of their bin), means
        over all, and the bins without empty ones; None if the scores are not probabilities.
    """
    if not len(scores) or not _are_probabilities(scores):
        return None
    confidence = np.clip(scores.max(axis=1), 0.0, 1.0)
    right = scores.argmax(axis=1) == truth
    place = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    bins = []
    for index in range(BINS):
        inside = place == index
        n, hits = int(inside.sum()), int(right[inside].sum())
        if n:
            bins.append(
                Bin(
                    low=index / BINS,
                    high=(index + 1) / BINS,
                    n=n,
                    confidence=float(confidence[inside].mean()),
                    accuracy=hits / n,
                    ci95=wilson_interval(hits, n),
                )
            )
    error = sum(entry.n * abs(entry.accuracy - entry.confidence) for entry in bins) / len(scores)
    return Calibration(
        ece=float(error), confidence=float(confidence.mean()), accuracy=float(right.mean()), bins=bins
    )


def _are_probabilities(scores: npt.NDArray[np.float64]) -> bool:
    inside = scores.min() >= -_TOLERANCE and scores.max() <= 1 + _TOLERANCE
    return bool(inside and np.abs(scores.sum(axis=1) - 1).max() <= _TOLERANCE)
