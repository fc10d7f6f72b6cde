"""What a model reveals about whose data it was trained on.

S. Yeom et al., "Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting", CSF 2018: whoever
knows an item and its label guesses that it was trained on where the model's loss is low. No shadow models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.evaluation.of_labels import LabelEvaluation, some
from tinyml_cli.outcomes.cards import MembershipInference
from tinyml_cli.statistics.curves import auc_interval, roc_auc

_MOST = 1000
_LEAST_SCORE = 1 / 512  # half a step of an int8 score


@dataclass(frozen=True)
class Losses:
    """Of the int8 model, on items of the same kind.

    Attributes:
        trained: float64 [n], on items of the training split as they are, without augmentation.
        held_out: float64 [m], on items that training never saw.
        measure: what they are, such as "cross-entropy".
    """

    trained: NDArray[np.float64]
    held_out: NDArray[np.float64]
    measure: str


def of_labels(
    evaluation: LabelEvaluation[Any, Any], features: NDArray[Any], labels: NDArray[np.int64]
) -> Losses:
    """Losses of a classifier.

    Args:
        evaluation: of the run's held-out items.
        features: integers [n, ...] of training items, as the firmware computes them.
        labels: int64 [n].
    """

    def losses(inputs: NDArray[Any], truth: NDArray[np.int64]) -> NDArray[np.float64]:
        rows = some(len(truth), _MOST)
        model = evaluation.model
        scores = model.scores(model.run(model.inputs(inputs[rows])))
        right = scores[np.arange(len(rows)), truth[rows]]
        return -np.log(np.maximum(right, _LEAST_SCORE))

    items = evaluation.load()
    return Losses(losses(features, labels), losses(items.features, items.labels), "cross-entropy")


def revealed(losses: Losses) -> MembershipInference | None:
    """How well a threshold on the loss tells training items; None where either side has none."""
    scores = -np.concatenate([losses.trained, losses.held_out])
    trained = np.arange(len(scores)) < len(losses.trained)
    auc = roc_auc(scores, trained)
    if auc is None:
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(trained[order])[ends]
    gap = found / trained.sum() - (ends + 1 - found) / (~trained).sum()
    return MembershipInference(
        auc=auc,
        ci95=auc_interval(auc, int(trained.sum()), int((~trained).sum())),
        advantage=max(0.0, float(gap.max())),
        measure=losses.measure,
        mean_trained=float(losses.trained.mean()),
        mean_held_out=float(losses.held_out.mean()),
        n_trained=len(losses.trained),
        n_held_out=len(losses.held_out),
        level="host",
    )
