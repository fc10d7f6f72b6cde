"""Items on a plane: where they lie, what lies apart, and what lies among others' labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.studio import neighbour_layout

Layout = Literal["neighbours", "components"]

_COMPONENTS = 12
_NEIGHBOURS = 8
_MOST_REFERENCES = 3000
_BLOCK = 512
# A label with fewer items has no "usual" distance yet.
_FEWEST = 8
# Distances of an outlier: so many median absolute deviations above the median of its label.
_DEVIATIONS = 5.0
_STRANGERS_SHARE = 0.85


@dataclass(frozen=True)
class Plane:
    """The map.

    Attributes:
        at: float32 [n, 2] in 0…1.
        outliers: bool [n], far from the others of their label.
        strangers: int [n], the label that nearly all neighbours have instead; -1 where they agree.
        twins: int [n], the first item with the same features; -1 where there is none.
        explained: share of the variance that the first two principal components show.
    """

    at: NDArray[np.float32]
    outliers: NDArray[np.bool_]
    strangers: NDArray[np.int_]
    twins: NDArray[np.int_]
    explained: float


def plane(vectors: NDArray[np.float32], labels: Sequence[int], by: Layout = "neighbours") -> Plane:
    """Lays items out.

    Args:
        vectors: [n, values], equal lengths.
        labels: [n], numbers of labels.
        by: neighbours, see `neighbour_layout`, or the first two principal components.
    """
    number = len(vectors)
    label = np.asarray(labels, np.int_)
    if number < 3:
        none = np.full(number, -1, np.int_)
        at = np.full((number, 2), 0.5, np.float32)
        at[:, 0] = (np.arange(number) + 1) / (number + 1)
        return Plane(at, np.zeros(number, bool), none, none.copy(), 1.0)
    components, shares = _components(vectors)
    near = _neighbours(components)
    at = components[:, :2].copy()
    if at.shape[1] < 2:
        at = np.concatenate([at, np.zeros((number, 1), np.float32)], axis=1)
    if by == "neighbours":
        at = neighbour_layout.layout(components, near, at)
    low, high = np.percentile(at, [0.5, 99.5], axis=0)
    at = np.clip((at - low) / np.maximum(high - low, 1e-9), 0, 1).astype(np.float32)
    return Plane(
        at,
        _outliers(components, label),
        _strangers(near, label),
        _twins(vectors),
        round(float(shares[:2].sum()), 3),
    )


def _components(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Principal components [n, up to 12] and the share of the variance of each."""
    centred = vectors - vectors.mean(axis=0)
    covariance = (centred.T @ centred).astype(np.float64) / len(vectors)
    values, axes = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1][:_COMPONENTS]
    shares = np.maximum(values[order], 0) / max(float(values.clip(0).sum()), 1e-12)
    return (centred @ axes[:, order].astype(np.float32)).astype(np.float32), shares


def _neighbours(points: NDArray[np.float32]) -> NDArray[np.intp]:
    """The nearest others of each [n, k]; among thousands, those of an even sample."""
    references = np.arange(0, len(points), max(1, len(points) // _MOST_REFERENCES))
    count = min(_NEIGHBOURS, len(references) - 1)
    others = points[references]
    squares = np.square(others).sum(axis=1)
    near = np.empty((len(points), count), np.intp)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        apart = squares[None, :] - 2 * block @ others.T
        apart[np.arange(start, start + len(block))[:, None] == references[None, :]] = np.inf
        near[start : start + _BLOCK] = references[np.argpartition(apart, count - 1, axis=1)[:, :count]]
    return near


def _outliers(points: NDArray[np.float32], labels: NDArray[np.int_]) -> NDArray[np.bool_]:
    found = np.zeros(len(points), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < _FEWEST:
            continue
        own = points[rows]
        apart = np.linalg.norm(own - np.median(own, axis=0), axis=1)
        middle = np.median(apart)
        spread = np.median(np.abs(apart - middle))
        found[rows] = apart > middle + _DEVIATIONS * max(float(spread), 1e-6)
    return found


def _strangers(near: NDArray[np.intp], labels: NDArray[np.int_]) -> NDArray[np.int_]:
    """The label of nearly all neighbours, where that is not the item's own."""
    around = labels[near]
    found = np.full(len(near), -1, np.int_)
    for label in np.unique(labels):
        share = (around == label).mean(axis=1)
        found[(share >= _STRANGERS_SHARE) & (labels != label)] = label
    return found


def _twins(vectors: NDArray[np.float32]) -> NDArray[np.int_]:
    """The first item with the same values, to the accuracy of what is kept of them."""
    first: dict[bytes, int] = {}
    rounded = np.round(vectors.astype(np.float16).astype(np.float32), 3)
    earlier = [first.setdefault(row.tobytes(), index) for index, row in enumerate(rounded)]
    rows = np.arange(len(vectors))
    return np.where(np.array(earlier) < rows, earlier, -1).astype(np.int_)
