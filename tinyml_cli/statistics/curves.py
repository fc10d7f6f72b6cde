"""How well one class is separated from the rest at every threshold: ROC, DET, AUC, equal error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.outcomes.evaluations import RocCurve

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAX_POINTS = 101


def roc_auc(scores: FloatArray, positive: BoolArray) -> float | None:
    """Area under the ROC curve: the share of (positive, negative) pairs in order, ties counting half.

    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143, 1982.

    Args:
        scores: float64 [n].
        positive: bool [n].

    Returns:
        None if one of the two classes has no example.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ordered = np.sort(scores)
    below, up_to = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    ranks = (below + up_to + 1) / 2
    wins = float(ranks[positive].sum()) - n_positive * (n_positive + 1) / 2
    return wins / (n_positive * n_negative)


def auc_interval(auc: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """95 % interval of an area under the ROC curve, by the normal approximation.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic
    (ROC) curve", Radiology 143, 1982.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    half = 1.96 * float(np.sqrt(max(variance, 0.0) / (n_positive * n_negative)))
    return max(0.0, auc - half), min(1.0, auc + half)


@dataclass(frozen=True)
class Curve:
    """Error rates of one class against the rest, from the strictest threshold to the loosest.

    Attributes:
        label: the class.
        n_positive, n_negative: examples of the class and of all others.
        auc: area under the ROC curve.
        thresholds: float64 [points], falling; an example counts as the class from this score on. The first is
            infinite: nothing counts.
        false_positive_rate, true_positive_rate: float64 [points], rising from 0 to 1.
    """

    label: str
    n_positive: int
    n_negative: int
    auc: float
    thresholds: FloatArray
    false_positive_rate: FloatArray
    true_positive_rate: FloatArray

    @property
    def equal_error_rate(self) -> float:
        """The rate at which misses and false accepts are equal, linear between points."""
        excess = self.false_positive_rate - (1 - self.true_positive_rate)
        after = int(np.argmax(excess >= 0))
        if after == 0:
            return float(self.false_positive_rate[0])
        step = excess[after] - excess[after - 1]
        share = -excess[after - 1] / step
        low, high = self.false_positive_rate[after - 1], self.false_positive_rate[after]
        return float(low + share * (high - low))

    def outcome(self) -> RocCurve:
        """At most 101 points of it."""
        rows = np.unique(np.linspace(0, len(self.thresholds) - 1, _MAX_POINTS).round().astype(int))
        return RocCurve(
            n_positive=self.n_positive,
            n_negative=self.n_negative,
            auc=self.auc,
            equal_error_rate=self.equal_error_rate,
            thresholds=[None if np.isinf(value) else float(value) for value in self.thresholds[rows]],
            false_positive_rate=self.false_positive_rate[rows].tolist(),
            true_positive_rate=self.true_positive_rate[rows].tolist(),
        )


def roc_curve(label: str, scores: FloatArray, positive: BoolArray) -> Curve | None:
    """The curve of scores float64 [n] against truth bool [n]; None if one side has no example.

    Equal scores are one point: no threshold can separate them.
    """
    area = roc_auc(scores, positive)
    if area is None:
        return None
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], positive[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true_positives = np.cumsum(hits)[ends]
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    return Curve(
        label,
        n_positive,
        n_negative,
        area,
        np.concatenate([[np.inf], ordered[ends]]),
        np.concatenate([[0.0], (ends + 1 - true_positives) / n_negative]),
        np.concatenate([[0.0], true_positives / n_positive]),
    )


def one_against_rest(
    labels: tuple[str, ...], scores: FloatArray, truth: npt.NDArray[np.int64]
) -> dict[str, Curve]:
    """The curve of every label that has examples and is not the only one; scores [n, labels], truth [n]."""
    curves = (roc_curve(label, scores[:, i], truth == i) for i, label in enumerate(labels))
    return {curve.label: curve for curve in curves if curve is not None}


def mean_auc(curves: dict[str, Curve]) -> float | None:
    """The plain mean over classes; None without any."""
    return sum(curve.auc for curve in curves.values()) / len(curves) if curves else None
