"""What a server makes of the updates of a round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.federation import FederationRecipe

Vector = NDArray[np.float64]

POISON = -5.0
"""The factor by which a poisoned client multiplies its honest update."""


def clipped(updates: Vector, bound: float) -> Vector:
    """Updates [clients, values], none with a norm above the bound (L2)."""
    norms = np.linalg.norm(updates, axis=1, keepdims=True)
    shorter: Vector = updates * np.minimum(1.0, bound / np.maximum(norms, 1e-12))
    return shorter


def trimmed_mean(updates: Vector, share: float) -> Vector:
    """The mean of each value without the share of largest and of smallest ones.

    D. Yin et al., "Byzantine-Robust Distributed Learning", arXiv:1803.01498.
    """
    dropped = min(int(share * len(updates)), (len(updates) - 1) // 2)
    mean: Vector = np.sort(updates, axis=0)[dropped : len(updates) - dropped].mean(axis=0)
    return mean


def aggregate(
    updates: Vector, examples: Vector, recipe: FederationRecipe, rng: np.random.Generator
) -> Vector:
    """The change of the global model, float64 [values].

    FedAvg weighs by examples (H. B. McMahan et al., arXiv:1602.05629). Clipped updates weigh the same, and
    with noise their sum is divided by the expected number of clients (arXiv:1710.06963): who has how many
    examples, and how many joined, would give something away.

    Args:
        updates: float64 [clients of the round, values].
        examples: float64 [clients of the round], that each trained on.
        recipe: clipping, noise and rule.
        rng: of the noise.
    """
    if recipe.clip is not None:
        updates = clipped(updates, recipe.clip)
    if recipe.dp_noise:
        assert recipe.clip is not None
        noise = rng.normal(0.0, recipe.dp_noise * recipe.clip, updates.shape[1])
        noisy: Vector = (updates.sum(axis=0) + noise) / (recipe.participation * recipe.clients)
        return noisy
    if recipe.aggregate == "trimmed-mean":
        mean = trimmed_mean(updates, recipe.trim)
    else:
        weights = np.ones(len(updates)) if recipe.clip is not None else examples
        mean = np.average(updates, axis=0, weights=weights)
    # Clients that did not train still have the model that all began with: they count as changes of nothing.
    return mean * (len(updates) / recipe.clients) if recipe.average_all else mean
