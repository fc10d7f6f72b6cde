"""The examples that a model got wrong with the most confidence: what to listen to first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.evaluation.labelled import Labelled
from tinyml_cli.outcomes.evaluations import Mistake

MAX_MISTAKES = 12
_MAX_PER_PAIR = 3


def worst(examples: Labelled, scores: npt.NDArray[np.float64], labels: tuple[str, ...]) -> list[Mistake]:
    """Wrong answers by how far the given answer's score lies above the true one's.

    At most three of each pair of true and given label come first, so that one confusion does not hide others.

    Returns:
        At most twelve; their index is that into the evaluation set.
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
    examples: Labelled, scores: npt.NDArray[np.float64], labels: tuple[str, ...], row: int
) -> Mistake:
    truth, given = int(examples.labels[row]), int(scores[row].argmax())
    return Mistake(
        index=row,
        label=labels[truth],
        word=labels[truth] if examples.words is None else str(examples.words[row]),
        speaker=str(examples.groups[row]),
        answer=labels[given],
        score=float(scores[row, given]),
        true_score=float(scores[row, truth]),
    )
