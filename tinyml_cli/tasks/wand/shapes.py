"""Shapes that can be drawn without recordings: digits and simple figures, as points that a hand passes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]


def _arc(x: float, y: float, width: float, height: float, start: float, end: float, points: int) -> Path:
    """Points of an ellipse from `start` to `end` degrees, counter-clockwise from the right."""
    angles = np.radians(np.linspace(start, end, points))
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)


def _line(*points: tuple[float, float]) -> Path:
    return np.array(points, float)


def _polygon(corners: int, first_degrees: float, step: int = 1) -> Path:
    angles = np.radians(first_degrees + 360.0 / corners * step * np.arange(corners + 1))
    return 0.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _joined(*parts: Path) -> Path:
    return np.concatenate(parts)


# Name -> the ways in which people draw it; x to the right, y up, within 0.5 of the middle.
SHAPES: dict[str, tuple[Path, ...]] = {
    "0": (
        _arc(0, 0, 0.33, 0.5, 90, 450, 11),
        _arc(0, 0, 0.33, 0.5, 120, 470, 11),
        _arc(0, 0, 0.33, 0.5, 60, 440, 11),
        _arc(0, 0, 0.33, 0.5, 45, 400, 10),
        _arc(0, 0, 0.33, 0.5, 90, -270, 11),
    ),
    "1": (
        _line((0.02, 0.5), (0, -0.5)),
        _line((-0.15, 0.3), (0.05, 0.5), (0.03, -0.5)),
        _line((0.05, 0.5), (-0.05, -0.5)),
    ),
    "2": (
        _joined(_arc(0, 0.22, 0.3, 0.28, 160, -30, 6), _line((-0.3, -0.48), (0.35, -0.45))),
        _joined(
            _arc(0, 0.2, 0.3, 0.3, 150, -40, 6),
            _line((-0.25, -0.45), (-0.12, -0.38), (0.05, -0.47), (0.35, -0.48)),
        ),
    ),
    "3": (
        _joined(_arc(-0.02, 0.25, 0.27, 0.24, 150, -80, 6), _arc(-0.02, -0.24, 0.31, 0.25, 80, -150, 7)),
        _joined(_arc(-0.05, 0.24, 0.3, 0.24, 130, -70, 5), _arc(-0.02, -0.22, 0.3, 0.27, 95, -130, 7)),
        _joined(_line((-0.25, 0.48), (0.25, 0.48), (-0.02, 0.1)), _arc(-0.02, -0.2, 0.3, 0.3, 80, -150, 7)),
        _joined(
            _arc(0.0, 0.26, 0.26, 0.23, 150, -60, 5),
            _line((-0.22, -0.06), (-0.15, 0.02)),
            _arc(0.02, -0.24, 0.28, 0.25, 80, -150, 7),
        ),
        _joined(
            _arc(0.0, 0.28, 0.28, 0.21, 140, -50, 5),
            _line((-0.28, -0.04), (-0.2, 0.03), (0.0, -0.02)),
            _arc(0.0, -0.24, 0.3, 0.24, 60, -120, 5),
        ),
    ),
    "4": (
        _line((0.05, 0.5), (-0.3, -0.15), (0.33, -0.15), (0.1, 0.15), (0.08, -0.5)),
        _line((0.12, 0.5), (-0.3, -0.12), (0.33, -0.1), (0.18, 0.0), (0.13, 0.48), (0.08, -0.5)),
        _line((-0.2, 0.5), (-0.25, 0.02), (0.3, 0.02), (0.2, 0.45), (0.15, -0.5)),
        _line((0.33, -0.15), (-0.3, -0.15), (0.1, 0.5), (0.05, -0.5)),
        _line((0.3, -0.2), (-0.1, -0.2), (-0.33, -0.15), (-0.1, 0.2), (0.12, 0.5), (0.08, 0.0), (0.06, -0.5)),
    ),
    "5": (
        _joined(_line((0.3, 0.48), (-0.2, 0.48), (-0.25, 0.08)), _arc(-0.02, -0.18, 0.3, 0.31, 110, -150, 8)),
        _joined(
            _line((-0.2, 0.48), (-0.24, 0.05)), _arc(-0.02, -0.18, 0.3, 0.31, 110, -140, 8), _line((0, -0.1))
        ),
        _joined(_line((0.32, 0.5), (-0.1, 0.47), (-0.2, 0.1)), _arc(-0.03, -0.18, 0.28, 0.28, 100, -140, 7)),
    ),
    "6": (
        _joined(_line((0.2, 0.5), (-0.12, 0.25), (-0.3, -0.15)), _arc(0.0, -0.22, 0.3, 0.28, 180, 470, 10)),
        _joined(_arc(0.3, 0.0, 0.6, 0.5, 100, 190, 5), _arc(0.0, -0.22, 0.28, 0.28, 200, 500, 9)),
        _joined(_arc(0.0, 0.0, 0.33, 0.5, 50, 280, 8), _arc(0.05, -0.22, 0.25, 0.25, -60, 200, 7)),
        _joined(_arc(0.05, 0.05, 0.35, 0.45, 60, 250, 7), _arc(0.0, -0.25, 0.28, 0.22, -80, 160, 6)),
    ),
    "7": (
        _line((-0.3, 0.45), (0.32, 0.47), (0.05, 0.0), (-0.1, -0.5)),
        _line((-0.32, 0.45), (0.3, 0.48), (-0.2, -0.5)),
        _line((-0.3, 0.35), (-0.28, 0.47), (0.32, 0.47), (-0.15, -0.5)),
        _line((-0.3, 0.4), (0.0, 0.48), (0.33, 0.42), (0.2, 0.4), (-0.05, 0.0), (-0.25, -0.5)),
    ),
    "8": (
        _joined(
            _arc(0, 0.26, 0.25, 0.24, 40, 230, 5),
            _line((0.0, 0.02)),
            _arc(0, -0.25, 0.29, 0.25, 40, -220, 7),
            _line((0.0, 0.02), (0.24, 0.3)),
        ),
        _joined(
            _arc(0, 0.26, 0.25, 0.24, 60, -50, 4),
            _line((0.0, 0.0)),
            _arc(0, -0.26, 0.28, 0.24, 140, 400, 7),
            _line((0.0, 0.02)),
            _arc(0, 0.26, 0.25, 0.24, 220, 80, 4),
        ),
    ),
    "9": (
        _joined(_arc(0, 0.22, 0.28, 0.28, 20, 360, 9), _line((0.27, 0.0), (0.2, -0.5))),
        _joined(_arc(0, 0.22, 0.28, 0.28, 60, 380, 9), _line((0.25, -0.1), (-0.05, -0.5))),
    ),
    "circle": (_arc(0, 0, 0.5, 0.5, 90, 450, 11), _arc(0, 0, 0.5, 0.5, 90, -270, 11)),
    "triangle": (_polygon(3, 90), _polygon(3, 90, -1)),
    "square": (_polygon(4, 135), _polygon(4, 135, -1)),
    "star": (_polygon(5, 90, 2), _polygon(5, 90, -2)),
    "zigzag": (_line((-0.45, 0.4), (-0.15, -0.4), (0.15, 0.4), (0.45, -0.4)),),
    "check": (_line((-0.4, 0.0), (-0.1, -0.45), (0.45, 0.45)),),
    "slash": (_line((-0.4, -0.5), (0.4, 0.5)), _line((0.4, 0.5), (-0.4, -0.5))),
    "wave": (_joined(_arc(-0.25, 0, 0.22, 0.3, 180, 0, 5), _arc(0.25, 0, 0.22, 0.3, 180, 360, 5)),),
    "spiral": (
        np.stack(
            [
                np.linspace(0.08, 0.5, 16) * np.cos(np.linspace(0, 4 * np.pi, 16)),
                np.linspace(0.08, 0.5, 16) * np.sin(np.linspace(0, 4 * np.pi, 16)),
            ],
            axis=1,
        ),
    ),
    "heart": (
        _joined(
            _line((0, 0.2)),
            _arc(-0.24, 0.25, 0.24, 0.22, 20, 190, 5),
            _line((0, -0.5)),
            _arc(0.24, 0.25, 0.24, 0.22, -10, 160, 5),
            _line((0, 0.2)),
        ),
    ),
}

# Nobody could tell these apart: where one is to be recognised, the others are not examples of what is not.
ALIKE = (frozenset({"0", "circle"}), frozenset({"1", "slash"}), frozenset({"6", "spiral"}))


def unlike(labels: Collection[str]) -> list[str]:
    """Shapes that look like none of the labels."""
    taken = set(labels).union(*(group for group in ALIKE if group & set(labels)))
    return [shape for shape in SHAPES if shape not in taken]
