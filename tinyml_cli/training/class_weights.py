"""The weight of each label in the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyml_cli.recipes.base import BALANCED, ClassWeights

# At 100 examples of one label per example of another, equal totals would make single examples dominate.
_LARGEST_WEIGHT = 20.0


def of_labels(wanted: ClassWeights, labels: Sequence[str], counts: ArrayLike) -> NDArray[np.float32]:
    """Weights float32 [labels].

    Args:
        wanted: `class_weights` of the recipe. `balanced` gives n / (labels * n_label), at most 20.
        labels: the model's labels in their order.
        counts: [labels], examples of each that an epoch shows.
    """
    if wanted != BALANCED:
        return np.array([wanted.get(label, 1.0) for label in labels], np.float32)
    shown = np.asarray(counts)
    weights = shown.sum() / (len(labels) * np.maximum(shown, 1))
    capped: NDArray[np.float32] = np.minimum(weights, _LARGEST_WEIGHT).astype(np.float32)
    return capped
