"""Items beside those on which the decision is another one: counterfactual neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness.judged import JudgedItems

_COMPARED = 600


def chosen(
    items: JudgedItems, inputs: Callable[[NDArray[np.int64]], NDArray[Any]], level: int, most: int
) -> list[int]:
    """Rows to show: both of each nearest pair with different decisions at a level, the closest pairs first.

    Half of them at most; the others are spread over the scores, so that pairs are left at other thresholds.

    Args:
        items: an evenly spread sample of 600 of them is compared.
        inputs: gives the model's input of rows, [rows, ...].
        level: of the threshold in use.
        most: how many rows.
    """
    rows = np.unique(np.linspace(0, len(items) - 1, _COMPARED).astype(np.int64))
    decisions = np.where(items.levels[rows] >= level, items.answers[rows], "")
    away = distances(inputs(rows))
    away[decisions[:, None] == decisions[None, :]] = np.inf
    nearest = away.argmin(axis=1)
    closeness = away[np.arange(len(rows)), nearest]
    found: dict[int, None] = {}
    for place in np.argsort(closeness, kind="stable"):
        if not np.isfinite(closeness[place]) or len(found) >= most // 2:
            break
        found |= dict.fromkeys((int(rows[place]), int(rows[nearest[place]])))
    order = rows[np.argsort(items.levels[rows], kind="stable")]
    for row in _spread(order, most):
        if len(found) >= most:
            break
        found.setdefault(int(row), None)
    return list(found)[:most]


def nearest_first(inputs: NDArray[np.generic]) -> NDArray[np.int64]:
    """For each of n inputs, all n by rising distance; itself first."""
    away = distances(inputs)
    np.fill_diagonal(away, -1.0)
    return np.argsort(away, axis=1, kind="stable")


def distances(inputs: NDArray[np.generic]) -> NDArray[np.float64]:
    """Squared Euclidean distances float64 [n, n] of model inputs [n, ...]; exact for int8."""
    flat = inputs.reshape(len(inputs), -1).astype(np.float64)
    squares = (flat**2).sum(axis=1)
    found: NDArray[np.float64] = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    return np.maximum(found, 0.0)


def _spread(order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The order's ends first, then what lies half-way, and so on."""
    places = np.unique(np.linspace(0, len(order) - 1, most).round().astype(np.int64))
    return order[places]
