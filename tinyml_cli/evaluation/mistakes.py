"""The examples that a model got wrong with the most confidence: what to listen to first."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

MAX_MISTAKES = 12
_MAX_PER_PAIR = 3


class LabelledExamples(Protocol):
    """Labelled examples, as EvaluationSet has them."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """int64 [n]."""

    @property
    def words(self) -> npt.NDArray[np.str_] | None:
        """str [n], what each is where that is finer than its label."""

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """str [n], who or what each comes from."""


def worst(
    examples: LabelledExamples, scores: npt.NDArray[np.float64], labels: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Wrong answers by how far the given answer's score lies above the true one's.

    At most three of each pair of true and given label come first, so that one confusion does not hide others.

    Returns:
        At most twelve of {index (into the evaluation set), label, word, speaker, answer, score, true_score}.
    """
    truth = np.asarray(examples.labels, np.int64)
    given = scores.argmax(axis=1)
    rows = np.arange(len(truth))
    margin = scores[rows, given] - scores[rows, truth]
    order = sorted(np.flatnonzero(given != truth).tolist(), key=lambda row: (-margin[row], row))
    seen: dict[tuple[int, int], int] = {}
    first: list[int] = []
    later: list[int] = []
    for row in order:
        pair = int(truth[row]), int(given[row])
        seen[pair] = seen.get(pair, 0) + 1
        (first if seen[pair] <= _MAX_PER_PAIR else later).append(row)
    return [_describe(examples, scores, labels, row) for row in (first + later)[:MAX_MISTAKES]]


def _describe(
    examples: LabelledExamples, scores: npt.NDArray[np.float64], labels: tuple[str, ...], row: int
) -> dict[str, Any]:
    truth, given = int(examples.labels[row]), int(scores[row].argmax())
    return {
        "index": row,
        "label": labels[truth],
        "word": labels[truth] if examples.words is None else str(examples.words[row]),
        "speaker": str(examples.groups[row]),
        "answer": labels[given],
        "score": float(scores[row, given]),
        "true_score": float(scores[row, truth]),
    }
