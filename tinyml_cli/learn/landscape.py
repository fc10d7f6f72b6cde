"""The loss of every line of a region: what `loss` and `descent` look down upon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.learn.inputs import Matrix
from tinyml_cli.learn.line import LineFit
from tinyml_cli.pages import terminal

_CELLS = 120
_MARGIN = 0.25
_LEVELS = 14
_LINES = 14


@dataclass(frozen=True)
class Landscape:
    """Losses [b, w] over a region.

    Attributes:
        w, b: float64 [n], the region's axes.
        loss: float64 [n, n].
    """

    w: Matrix
    b: Matrix
    loss: Matrix

    @classmethod
    def around(cls, fit: LineFit, places: Sequence[tuple[float, float]]) -> Landscape:
        """The region that holds these (w, b) with a margin, at least 2 wide and high."""
        axes = []
        for values in np.array(places).T:
            half = max(float(np.ptp(values)) / 2 * (1 + 2 * _MARGIN), 1.0)
            centre = (values.max() + values.min()) / 2
            axes.append(np.linspace(centre - half, centre + half, _CELLS))
        w, b = axes
        return cls(w, b, fit.loss(*np.meshgrid(w, b)))

    def drawing(self, marks: Mapping[str, tuple[float, float]], key: str) -> str:
        """In shades, full where the loss is large.

        Args:
            marks: letter -> (w, b).
            key: says what the letters are.
        """
        heights = np.sqrt(self.loss)
        shares = (heights - heights.min()) / max(float(np.ptp(heights)), 1e-12)
        pixels: NDArray[np.uint8] = np.rint(shares[::-1] * 255).astype(np.uint8)
        places = {
            letter: (1 - self._share(b, self.b), self._share(w, self.w)) for letter, (w, b) in marks.items()
        }
        top, bottom = f"b {self.b[-1]:.3g}", f"b {self.b[0]:.3g}, w {self.w[0]:.3g} to {self.w[-1]:.3g}"
        shades = terminal.shades(pixels, places, (_LINES, terminal.WIDTH))
        return f"{top}\n{shades}\n{bottom}\n{key}; full: large loss"

    def draw(self, axes: Any) -> None:
        """As contours; their distance is even in the root of the loss, as a cone's would be."""
        heights = np.linspace(0, float(np.sqrt(self.loss.max())), _LEVELS) ** 2
        axes.contourf(self.w, self.b, self.loss, levels=heights, cmap="viridis")
        axes.set_xlabel("w")
        axes.set_ylabel("b")

    @staticmethod
    def _share(value: float, axis: Matrix) -> float:
        return float((value - axis[0]) / (axis[-1] - axis[0]))
