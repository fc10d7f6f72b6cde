"""Small drawings of characters: curves in Braille dots, pictures in shades, bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.features.image import area_average

Ends = tuple[float, float]

WIDTH, HEIGHT = 60, 10
_LINES = 22
_EDGE = 9  # letters of a number beside a curve
_SHADES = " ░▒▓█"
# Bits of a Braille letter by [row, column] of its dot; the letters stand in Unicode from here on.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
_BAR = "█"


def plot(
    x: Sequence[float],
    y: Sequence[float],
    marks: Sequence[tuple[float, float]] = (),
    height: int = HEIGHT,
    limits: tuple[Ends, Ends] | None = None,
) -> str:
    """A curve in Braille dots, with the smallest and largest y beside it.

    Args:
        x, y: its points.
        marks: further points, drawn as circles.
        height: in lines.
        limits: ends of the x and of the y axis, which points beyond move outwards; those of the points.
    """
    xs = np.array([*x, *(mark[0] for mark in marks)], np.float64)
    ys = np.array([*y, *(mark[1] for mark in marks)], np.float64)
    x_ends, y_ends = (_ends(values, of) for values, of in zip((xs, ys), limits or ((), ()), strict=True))
    width = _width(_EDGE + 1)
    columns = _scaled(xs, 2 * width - 1, x_ends)
    rows = 4 * height - 1 - _scaled(ys, 4 * height - 1, y_ends)
    cells = np.zeros((height, width), np.int64)
    for row, column in _joined(rows[: len(x)], columns[: len(x)]):
        cells[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
    lines = [[chr(_BRAILLE + int(cell)) for cell in line] for line in cells]
    for row, column in zip(rows[len(x) :], columns[len(x) :], strict=True):
        lines[row // 4][column // 2] = "o"
    edges = {0: f"{y_ends[1]:.3g}", height - 1: f"{y_ends[0]:.3g}"}
    return "\n".join(f"{edges.get(n, ''):>{_EDGE}} {''.join(line)}" for n, line in enumerate(lines))


def shades(
    pixels: NDArray[np.uint8],
    marks: Mapping[str, tuple[float, float]] | None = None,
    size: tuple[int, int] | None = None,
) -> str:
    """A grey picture uint8 [rows, columns] in shades.

    Args:
        pixels: the picture.
        marks: letter -> (row, column) as shares from 0 to 1.
        size: lines and characters a line; as large as fits, in the picture's proportions, by default.
    """
    height, width = size or _fitting_size(*pixels.shape)
    width = _width(0, width)
    small = area_average(pixels[..., None], height, width)[..., 0]
    lines = [[_SHADES[int(value) * len(_SHADES) // 256] for value in line] for line in small]
    for letter, (row, column) in (marks or {}).items():
        if 0 <= row <= 1 and 0 <= column <= 1:
            lines[min(height - 1, int(row * height))][min(width - 1, int(column * width))] = letter
    return "\n".join("".join(line) for line in lines)


def bars(values: Mapping[str, float]) -> str:
    """A bar for each name, with its value."""
    largest = max(values.values(), default=0) or 1
    indent = max(map(len, values), default=0)
    width = _width(indent + _EDGE + 2)
    return "\n".join(
        f"{name:>{indent}} {_BAR * round(max(value, 0) / largest * width)} {value:.3g}"
        for name, value in values.items()
    )


def _width(taken: int, most: int = WIDTH) -> int:
    """Characters that a drawing may be wide beside others that are taken."""
    return max(1, min(most, console.width - taken))


def _fitting_size(rows: int, columns: int) -> tuple[int, int]:
    """Lines and characters; a letter is about twice as high as it is wide."""
    width = min(WIDTH, 4 * columns, max(1, round(2 * _LINES * columns / rows)))
    return max(1, min(_LINES, round(width * rows / columns / 2))), width


def _ends(values: NDArray[np.float64], least: Sequence[float]) -> Ends:
    """The smallest and largest of the values and of `least`."""
    found = np.array([*values, *least])
    return float(found.min()), float(found.max())


def _scaled(values: NDArray[np.float64], most: int, ends: Ends) -> NDArray[np.int64]:
    """Whole numbers from 0 to `most`, in proportion to where the values lie between the ends."""
    span = ends[1] - ends[0]
    shares = (values - ends[0]) / span if span > 0 else np.full(len(values), 0.5)
    return np.asarray(np.rint(shares * most), np.int64)


def _joined(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The dots of straight lines from each point to the next."""
    found = [(int(row), int(column)) for row, column in zip(rows[:1], columns[:1], strict=True)]
    for n in range(1, len(rows)):
        steps = max(abs(int(rows[n] - rows[n - 1])), abs(int(columns[n] - columns[n - 1])), 1)
        share = np.arange(1, steps + 1) / steps
        between = [np.rint(each[n - 1] + share * (each[n] - each[n - 1])) for each in (rows, columns)]
        found += [(int(row), int(column)) for row, column in zip(*between, strict=True)]
    return found
