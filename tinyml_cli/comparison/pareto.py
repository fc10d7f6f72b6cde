"""The Pareto front: models that no other is at least as good as in everything."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, ...] | None]) -> list[bool]:
    """For each point whether no other one dominates it; smaller is better in every coordinate.

    None, a point with an unknown coordinate, is never on the front and dominates nothing. Equal points are
    on the front together.
    """
    return [
        point is not None and not any(_dominates(other, point) for other in points if other is not None)
        for point in points
    ]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
