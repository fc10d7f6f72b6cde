"""Drawn figures and clutter: images for testing the tool, not representative of any camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class ProceduralImages:
    """Images uint8 [n, size, size, channels] in memory; the last classes show a figure, class 0 none.

    Attributes:
        labels: int64 [n].
        hashes: str [n], a name for each.
    """

    def __init__(self, n: int, classes: int, size: int, channels: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 11])
        self.labels = np.arange(n, dtype=np.int64) % classes
        self.hashes = np.array([f"procedural/{seed}/{index}" for index in range(n)])
        self._pixels = np.stack([_draw(int(label), size, channels, rng) for label in self.labels])

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """A copy of some images."""
        return self._pixels[indices]


def _draw(figure: int, size: int, channels: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A background with boxes, and for figure k a head with k shoulders below it."""
    y, x = np.mgrid[0:size, 0:size] / size
    canvas = np.full((size, size, channels), rng.uniform(40, 160), np.float64)
    canvas += (rng.uniform(-60, 60) * x + rng.uniform(-60, 60) * y)[..., None]
    for _ in range(4):
        left, top, width, height = rng.uniform(0, 0.8, 4)
        inside = (x > left) & (x < left + width / 2) & (y > top) & (y < top + height / 2)
        canvas[inside] += rng.uniform(-60, 60, channels)
    if figure > 0:
        centre_x, centre_y, scale = rng.uniform(0.35, 0.65), rng.uniform(0.25, 0.4), rng.uniform(0.1, 0.16)
        shade = rng.uniform(170, 250, channels) if canvas.mean() < 128 else rng.uniform(0, 60, channels)
        head = np.hypot(x - centre_x, (y - centre_y) / 1.2) < scale
        for shoulder in range(figure):
            below = (y - centre_y) / scale - 1.2 - 2 * shoulder
            head |= (below > 0) & (below < 1.6) & (np.abs(x - centre_x) < scale * 1.8)
        canvas[head] = shade
    canvas += rng.normal(0, 5, canvas.shape)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
