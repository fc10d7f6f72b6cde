"""The score from which a gesture counts, and the accuracy at that threshold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.outcomes.evaluations import AtThreshold
from tinyml_cli.statistics.metrics import wilson_interval


def answers(scores: NDArray[np.floating[Any]], threshold: float) -> NDArray[np.int64]:
    """The label of the highest score, int64 [n]; 0, unknown, where that is below the threshold."""
    best: NDArray[np.int64] = scores.argmax(axis=1).astype(np.int64)
    return np.where(scores.max(axis=1) >= threshold, best, 0)


def choose_threshold(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], false_accepts: float, least: float = 0.5
) -> dict[str, float]:
    """The lowest threshold that takes few enough unknown motions for a gesture.

    Args:
        scores: [n, labels], of the validation split.
        labels: int64 [n]; 0 is unknown.
        false_accepts: the largest share of unknown motions that may be taken for a gesture.
        least: no threshold below this, whatever the unknown motions allow.

    Returns:
        threshold, and there false_accepts, missed (gestures taken for unknown), n_unknown and n_gestures.
    """
    unknown = labels == 0
    taken = np.where(scores.argmax(axis=1) == 0, 0.0, scores.max(axis=1))[unknown]
    allowed = int(false_accepts * len(taken))
    # Above the score of the first unknown motion that must not pass.
    barred = float(np.sort(taken)[::-1][allowed]) if allowed < len(taken) else 0.0
    threshold = min(max(math.ceil((barred + 1e-6) * 1000) / 1000, least), 1.0)
    given = answers(scores, threshold)
    return {
        "threshold": threshold,
        "false_accepts": float((given[unknown] != 0).mean()) if unknown.any() else 0.0,
        "missed": float((given[~unknown] == 0).mean()) if (~unknown).any() else 0.0,
        "n_unknown": int(unknown.sum()),
        "n_gestures": int((~unknown).sum()),
    }


def operating_point(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], threshold: float
) -> AtThreshold:
    """How good answers are with the threshold; a share of nothing is None."""
    given, unknown = answers(scores, threshold), labels == 0
    right = int((given == labels).sum())
    accepted, missed = int((given[unknown] != 0).sum()), int((given[~unknown] == 0).sum())
    n_unknown, n_gestures = int(unknown.sum()), int((~unknown).sum())
    return AtThreshold(
        threshold=threshold,
        accuracy=right / len(labels) if len(labels) else None,
        ci95=wilson_interval(right, len(labels)),
        false_accepts=accepted / n_unknown if n_unknown else None,
        false_accepts_ci95=wilson_interval(accepted, n_unknown),
        missed=missed / n_gestures if n_gestures else None,
        missed_ci95=wilson_interval(missed, n_gestures),
        n_unknown=n_unknown,
        n_gestures=n_gestures,
    )
