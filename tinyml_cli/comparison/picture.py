"""Quality against cost. Imports matplotlib, so import this module only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyml_cli.outcomes.comparisons import ComparedRow, FinishedTrial
from tinyml_cli.pages import pictures

TITLES = {
    "flash_bytes": "Flash (KB, linked)",
    "ram_bytes": "RAM (KB, linked)",
    "instructions": "Instructions (millions, emulated)",
    "bytes": "Model (KB)",
}
UNITS = {"flash_bytes": 1e3, "ram_bytes": 1e3, "instructions": 1e6, "bytes": 1e3}

Drawn = ComparedRow | FinishedTrial

_DPI = 130
# In points.
_FONT, _LETTER, _LINE, _GAP = 6, 3.4, 7.5, 5
_FRONT, _OTHER, _INK = "#d55e00", "#0072b2", "#1b2a41"


def cost(row: Drawn, axis: str) -> int:
    """Where a row lies on an axis; 0 where that is not known."""
    return getattr(row, axis) or 0


def quality(row: Drawn) -> float:
    """A row's measure; 0 where that is not known."""
    return row.value or 0.0


def panels(rows: Sequence[Drawn]) -> list[tuple[str, list[Drawn]]]:
    """(axis, rows that have a value on it and a quality), for each axis with at least one."""
    axes = [
        name
        for name in ("flash_bytes", "ram_bytes", "instructions")
        if any(getattr(r, name) is not None for r in rows)
    ]
    chosen = [
        (axis, [r for r in rows if getattr(r, axis) is not None and r.value is not None])
        for axis in axes or ["bytes"]
    ]
    return [(axis, shown) for axis, shown in chosen if shown]


def draw(path: Path, rows: Sequence[Drawn]) -> bool:
    """Writes a PNG; whether there was something to draw.

    Raises:
        TinymlError: the file cannot be written.
    """
    shown = panels(rows)
    if not shown:
        return False
    figure = pictures.new(4.4 * len(shown), 4.2)
    figure.set_dpi(_DPI)
    for number, (axis, some) in enumerate(shown, 1):
        _panel(figure.add_subplot(1, len(shown), number), axis, some)
    figure.suptitle("Quality with 95 % interval, and cost; Pareto front in orange", fontsize=8)
    figure.draw_without_rendering()  # only now is it known where points lie
    for axes, (axis, some) in zip(figure.axes, shown, strict=True):
        _name(axes, axis, some)
    pictures.write(path, figure, _DPI)
    return True


def _panel(axes: Any, axis: str, rows: Sequence[Drawn]) -> None:
    for row in rows:
        colour = _FRONT if row.front else _OTHER
        x, y = cost(row, axis) / UNITS[axis], row.value
        if row.ci95 is not None:
            axes.vlines(x, *row.ci95, color=colour, linewidth=1.2, alpha=0.6)
        axes.plot(x, y, "o", color=colour, markersize=5)
    best = sorted((cost(row, axis) / UNITS[axis], row.value) for row in rows if row.front)
    if len(best) > 1:
        axes.step(*zip(*best, strict=True), where="post", color=_FRONT, linewidth=0.8, alpha=0.6)
    axes.margins(0.15)
    axes.set_xlabel(TITLES[axis], fontsize=8)
    axes.set_ylabel(rows[0].measure, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(linewidth=0.4, alpha=0.5)


def _name(axes: Any, axis: str, rows: Sequence[Drawn]) -> None:
    """Writes each name beside its point, towards the middle, above those that it would cover."""
    pixels_per_point = axes.figure.dpi / 72
    middle = sum(axes.get_xlim()) / 2
    placed: list[tuple[float, float, float]] = []
    for row in sorted(rows, key=lambda row: quality(row)):
        point = (cost(row, axis) / UNITS[axis], row.value)
        x, y = axes.transData.transform(point) / pixels_per_point
        leftwards = point[0] > middle
        width = _LETTER * len(row.name) + _GAP
        start, end = (x - width, x) if leftwards else (x, x + width)
        height = y + _GAP
        for from_x, to_x, taken in sorted(placed, key=lambda other: other[2]):
            if start < to_x and end > from_x and abs(height - taken) < _LINE:
                height = taken + _LINE
        placed.append((start, end, height))
        axes.annotate(
            row.name,
            point,
            xytext=(-_GAP if leftwards else _GAP, height - y),
            textcoords="offset points",
            ha="right" if leftwards else "left",
            va="center",
            fontsize=_FONT,
            color=_INK,
        )
