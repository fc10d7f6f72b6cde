"""Items on a plane by their neighbours: UMAP (McInnes, Healy and Melville, arXiv 1802.03426).

Unlike principal components it shows groups, but no distances: how far one is from another says little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The curve 1 / (1 + a d^(2b)) for a least distance of 0.1 and a spread of 1, as fitted in section 3.2 there.
_A, _B = 1.577, 0.895
_EPOCHS = 120
_STRANGERS_PER_EDGE = 4
_STEP_MOST = 4.0
_BISECTIONS = 24
_SPREAD = 10.0

Points = NDArray[np.float32]


def layout(points: Points, near: NDArray[np.intp], begin: Points) -> Points:
    """A place on the plane for each item, float32 [n, 2]; the same for the same items.

    Args:
        points: [n, values].
        near: [n, k], each item's nearest others.
        begin: [n, 2], where they start from, such as two principal components.
    """
    rng = np.random.default_rng(0)
    heads, tails, weights = _edges(points, near)
    at = (begin - begin.mean(axis=0)) / max(float(begin.std()), 1e-9) * _SPREAD / 4
    at = np.asarray(at + rng.normal(0, 1e-3, at.shape), np.float32)
    for epoch in range(_EPOCHS):
        rate = 1.0 - epoch / _EPOCHS
        drawn = rng.random(len(heads)) < weights
        head, tail = heads[drawn], tails[drawn]
        others = rng.integers(0, len(at), (len(head), _STRANGERS_PER_EDGE))
        apart = at[head] - at[tail]
        pull = _pull(apart)
        away = _push(at[head][:, None] - at[others]).sum(axis=1)
        step = _sums(head, pull + away, len(at)) - _sums(tail, pull, len(at))
        at += np.float32(rate) * np.clip(step, -_STEP_MOST, _STEP_MOST)
    return at


def _edges(points: Points, near: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp], Points]:
    """Pairs of neighbours and how surely they are: the fuzzy union of section 3.1, weights in 0…1."""
    number, count = near.shape
    distances = np.linalg.norm(points[:, None] - points[near], axis=2)
    beyond = np.maximum(distances - distances.min(axis=1, keepdims=True), 0.0)
    low, high = np.full((number, 1), 1e-6), np.full((number, 1), 1e3)
    for _ in range(_BISECTIONS):
        width = np.sqrt(low * high)
        is_wide = np.exp(-beyond / width).sum(axis=1, keepdims=True) > np.log2(max(count, 2))
        low, high = np.where(is_wide, low, width), np.where(is_wide, width, high)
    weight = np.exp(-beyond / high).ravel()
    head, tail = np.repeat(np.arange(number), count), near.ravel()
    keys, pair = np.unique(np.minimum(head, tail) * number + np.maximum(head, tail), return_inverse=True)
    total = np.bincount(pair, weight)
    # 0 where only one of them is the other's neighbour.
    product = (total**2 - np.bincount(pair, weight**2)) / 2
    return keys // number, keys % number, (total - product).astype(np.float32)


def _pull(apart: Points) -> Points:
    squares = np.maximum(np.square(apart).sum(axis=-1, keepdims=True), 1e-12)
    force = -2 * _A * _B * squares ** (_B - 1) / (1 + _A * squares**_B)
    return np.asarray(np.clip(force * apart, -_STEP_MOST, _STEP_MOST), np.float32)


def _push(apart: Points) -> Points:
    squares = np.square(apart).sum(axis=-1, keepdims=True)
    force = 2 * _B / ((0.001 + squares) * (1 + _A * squares**_B))
    return np.asarray(np.clip(force * apart, -_STEP_MOST, _STEP_MOST), np.float32)


def _sums(rows: NDArray[np.intp], values: Points, number: int) -> Points:
    columns = [np.bincount(rows, values[:, axis], number) for axis in (0, 1)]
    return np.stack(columns, axis=1).astype(np.float32)
