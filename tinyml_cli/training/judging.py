"""How good scores are, whatever they were made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def judge(scores: NDArray[np.float32], labels: NDArray[np.integer]) -> dict[str, float]:
    """Cross-entropy without smoothing, and accuracy; every label weighs the same however rare.

    Args:
        scores: float32 [examples, labels], probabilities.
        labels: the true ones, [examples].
    """
    losses = -np.log(np.maximum(scores[np.arange(len(scores)), labels], 1e-7))
    hits = scores.argmax(axis=1) == labels
    per_label = [labels == label for label in np.unique(labels)]
    return {
        "loss": float(np.mean([losses[rows].mean() for rows in per_label])),
        "accuracy": float(np.mean([hits[rows].mean() for rows in per_label])),
    }
