"""Measures of scores, whatever they were computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.statistics.chance import chance_agreement, is_better_than_chance
from tinyml_cli.statistics.metrics import confusion_matrix, wilson_interval

MEASURES = ("loss", "accuracy")
"""What is followed from epoch to epoch."""


def judge(scores: NDArray[np.float32], labels: NDArray[np.integer]) -> dict[str, Any]:
    """Cross-entropy without smoothing (mean over labels), accuracy, and balanced accuracy.

    Balanced accuracy is the mean of the labels' recalls. Also the number of examples `n`, the number
    `right`, the accuracy by `chance`, whether the answers are `better` than that, and their `confusion`: a
    row for each true label, a column for each answer.

    Args:
        scores: float32 [examples, labels], probabilities.
        labels: int [examples], the true ones.
    """
    losses = -np.log(np.maximum(scores[np.arange(len(scores)), labels], 1e-7))
    answers = scores.argmax(axis=1)
    hits = answers == labels
    per_label = [labels == label for label in np.unique(labels)]
    confusion = confusion_matrix(np.asarray(labels), answers, scores.shape[1])
    return {
        "loss": float(np.mean([losses[rows].mean() for rows in per_label])),
        "accuracy": float(hits.mean()),
        "balanced_accuracy": float(np.mean([hits[rows].mean() for rows in per_label])),
        "n": len(labels),
        "right": int(hits.sum()),
        "chance": chance_agreement(confusion),
        "better": is_better_than_chance(confusion),
        "confusion": confusion.tolist(),
    }


class JudgedFit(Protocol):
    """The outcome of a training."""

    @property
    def validation_accuracy(self) -> float: ...
    @property
    def validation_loss(self) -> float: ...
    @property
    def judged(self) -> Mapping[str, Any]:
        """The result of `judge`; empty if it was not kept."""


def figures(fitted: JudgedFit) -> dict[str, Any]:
    """The manifest's metrics of a training: validation accuracy with its Wilson interval, and loss.

    The interval and related keys are omitted for a training completed by an older version, which did not
    count.
    """
    known = {
        "validation_accuracy": round(fitted.validation_accuracy, 4),
        "validation_loss": round(fitted.validation_loss, 4),
    }
    judged = fitted.judged
    if "balanced_accuracy" not in judged:
        return known
    n, right = int(judged["n"]), int(judged["right"])
    return known | {
        "validation_balanced_accuracy": round(judged["balanced_accuracy"], 4),
        "validation_n": n,
        "validation_right": right,
        "validation_ci95": [round(limit, 4) for limit in wilson_interval(right, n)],
        "better_than_chance": bool(judged["better"]),
        "chance": round(judged["chance"], 4),
    }
