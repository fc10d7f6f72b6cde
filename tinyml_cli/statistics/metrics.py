"""Measures of a classifier."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.outcomes.evaluations import Classified

IntArray = npt.NDArray[np.int64]

Z_95 = 1.959963984540054  # the standard normal's 97.5 % quantile


def wilson_interval(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a proportion, 95 % by default; (0, 1) if n is 0.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927:
    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). It stays inside [0, 1] and is valid near
    the ends, where the normal approximation is not.

    Raises:
        ValueError: not 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return 0.0, 1.0
    share, weight = successes / n, z * z / n
    centre = share + weight / 2
    margin = z * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, (centre - margin) / (1 + weight)), min(1.0, (centre + margin) / (1 + weight))


def confusion_matrix(truth: IntArray, predicted: IntArray, n_classes: int) -> IntArray:
    """int64 [n_classes, n_classes]: rows are true classes, columns predicted ones."""
    matrix = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


@dataclass(frozen=True)
class Classification:
    """A confusion matrix and the measures computed from it.

    Attributes:
        labels: class names, in the order of the matrix.
        confusion: int64 [classes, classes], rows true, columns predicted.
    """

    labels: tuple[str, ...]
    confusion: IntArray

    @classmethod
    def of(cls, labels: tuple[str, ...], truth: IntArray, predicted: IntArray) -> Classification:
        """From class indices int64 [n] each."""
        return cls(labels, confusion_matrix(truth, predicted, len(labels)))

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of examples on the diagonal; 0 if there are none."""
        return int(np.trace(self.confusion)) / self.n if self.n else 0.0

    @property
    def ci95(self) -> tuple[float, float]:
        """Wilson 95 % interval of the accuracy."""
        return wilson_interval(int(np.trace(self.confusion)), self.n)

    @property
    def recall(self) -> dict[str, float | None]:
        """Share recognised per true class; None for a class without examples."""
        return self._shares(self.confusion.sum(axis=1))

    @property
    def precision(self) -> dict[str, float | None]:
        """Share right per predicted class; None for a class that was never predicted."""
        return self._shares(self.confusion.sum(axis=0))

    def outcome(self) -> Classified:
        """All of it."""
        return Classified(
            accuracy=self.accuracy,
            ci95=self.ci95,
            confusion=self.confusion.tolist(),
            recall=self.recall,
            precision=self.precision,
        )

    def _shares(self, totals: IntArray) -> dict[str, float | None]:
        hits = np.diag(self.confusion)
        return {
            label: float(hit / total) if total else None
            for label, hit, total in zip(self.labels, hits, totals, strict=True)
        }
