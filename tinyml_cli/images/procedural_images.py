"""Drawn figures and shapes on clutter: images that need no data, not representative of any camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float64]
Figure = Callable[[Grid, Grid, np.random.Generator], NDArray[np.bool_]]
"""Which points of an image it covers: x to the right and y down, from 0 to 1, [size, size]."""


class ProceduralImages:
    """Images uint8 [n, size, size, channels] in memory; image i shows the figure of class i % classes.

    Attributes:
        labels: int64 [n].
        hashes: str [n], a name for each.
    """

    def __init__(self, n: int, figures: Sequence[Figure], size: int, channels: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 11])
        self.labels = np.arange(n, dtype=np.int64) % len(figures)
        self.hashes = np.array([f"procedural/{seed}/{index}" for index in range(n)])
        self._pixels = np.stack([_draw(figures[int(label)], size, channels, rng) for label in self.labels])

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """A copy of some images."""
        return self._pixels[indices]


def people(shoulders: int) -> Figure:
    """A head with so many pairs of shoulders below it; with none, nothing at all."""

    def covers(x: Grid, y: Grid, rng: np.random.Generator) -> NDArray[np.bool_]:
        if shoulders == 0:
            return np.zeros_like(x, bool)
        centre_x, centre_y, scale = rng.uniform(0.35, 0.65), rng.uniform(0.25, 0.4), rng.uniform(0.1, 0.16)
        inside = np.hypot(x - centre_x, (y - centre_y) / 1.2) < scale
        for pair in range(shoulders):
            below = (y - centre_y) / scale - 1.2 - 2 * pair
            inside |= (below > 0) & (below < 1.6) & (np.abs(x - centre_x) < scale * 1.8)
        return inside

    return covers


def _shape(outline: Callable[[Grid, Grid], NDArray[np.bool_]]) -> Figure:
    """An outline in the square from -1 to 1, at a random place, size and angle."""

    def covers(x: Grid, y: Grid, rng: np.random.Generator) -> NDArray[np.bool_]:
        centre_x, centre_y = rng.uniform(0.42, 0.58, 2)
        radius, angle = rng.uniform(0.26, 0.4), rng.uniform(-0.3, 0.3)
        u, v = (x - centre_x) / radius, (y - centre_y) / radius
        return outline(u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle))

    return covers


SHAPES: dict[str, Figure] = {
    "circle": _shape(lambda x, y: np.hypot(x, y) < 0.9),
    "square": _shape(lambda x, y: np.maximum(np.abs(x), np.abs(y)) < 0.8),
    "triangle": _shape(lambda x, y: (np.abs(x) < 0.55 * (y + 1)) & (y < 0.7)),
    "cross": _shape(
        lambda x, y: (np.minimum(np.abs(x), np.abs(y)) < 0.25) & (np.maximum(np.abs(x), np.abs(y)) < 1)
    ),
    "ring": _shape(lambda x, y: np.abs(np.hypot(x, y) - 0.75) < 0.2),
    "moon": _shape(lambda x, y: (np.hypot(x, y) < 0.95) & (np.hypot(x - 0.5, y) > 0.8)),
    "flower": _shape(lambda x, y: np.hypot(x, y) < 0.65 + 0.35 * np.cos(5 * np.arctan2(y, x))),
    "heart": _shape(lambda x, y: (1.44 * (x * x + y * y) - 1) ** 3 + 2.5 * x * x * y**3 < 0),
}
"""What can be drawn, by the name of its class."""


def _draw(figure: Figure, size: int, channels: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A background with boxes, and the figure on it, much brighter or darker."""
    y, x = np.mgrid[0:size, 0:size] / size
    canvas = np.full((size, size, channels), rng.uniform(40, 160), np.float64)
    canvas += (rng.uniform(-60, 60) * x + rng.uniform(-60, 60) * y)[..., None]
    for _ in range(4):
        left, top, width, height = rng.uniform(0, 0.8, 4)
        inside = (x > left) & (x < left + width / 2) & (y > top) & (y < top + height / 2)
        canvas[inside] += rng.uniform(-60, 60, channels)
    is_dark = canvas.mean() < 128
    inside = figure(x, y, rng)
    if inside.any():
        canvas[inside] = rng.uniform(170, 250, channels) if is_dark else rng.uniform(0, 60, channels)
    canvas += rng.normal(0, 5, canvas.shape)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
