"""Pictures of scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.tasks.anomaly.judged import Explained, JudgedWindows

_NORMAL, _FAULT, _LINE = "#2b6cb0", "#c05621", "#1a202c"


def scores_png(path: Path, judged: JudgedWindows, threshold: int, title: str) -> None:
    """Scores of each condition as points, with the threshold, on a logarithmic axis."""
    from tinyml_cli.pages import pictures

    conditions = judged.conditions
    order = sorted(set(conditions[~judged.is_fault])) + sorted(set(conditions[judged.is_fault]))
    figure = pictures.new(8, 1.2 + 0.45 * len(order))
    axes = figure.subplots()
    rng = np.random.default_rng(0)
    for row, condition in enumerate(order):
        mine = conditions == condition
        spread = rng.uniform(-0.3, 0.3, int(mine.sum()))
        color = _FAULT if judged.is_fault[mine].any() else _NORMAL
        axes.plot(np.maximum(judged.scores[mine], 1), row + spread, ".", ms=3, alpha=0.5, color=color)
    axes.axvline(max(threshold, 1), color=_LINE, lw=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    axes.set_xlabel("score of a window (int8); line: threshold")
    axes.set_title(title)
    pictures.write(path, figure, 120)


def explain_png(path: Path, explained: Explained, threshold: int, title: str) -> None:
    """Scores over time with the threshold, and the error of each input of the worst window."""
    from tinyml_cli.pages import pictures

    grid = explained.grid
    height = min(4.0, 1.0 + 0.25 * len(grid.rows))
    figure = pictures.new(9, 2.4 + height)
    above, below = figure.subplots(2, 1, height_ratios=[2.4, height])
    seconds = np.array(explained.t_ms) / 1000
    above.plot(seconds, np.maximum(explained.scores, 1), ".-", ms=3, lw=0.8, color=_NORMAL)
    above.axhline(max(threshold, 1), color=_LINE, lw=1)
    above.axvline(seconds[explained.worst], color=_FAULT, lw=1, ls=":")
    above.set_yscale("log")
    above.set_xlabel("end of the window in s")
    above.set_ylabel("score")
    above.set_title(title)
    image = below.imshow(grid.errors, aspect="auto", cmap="Oranges", interpolation="nearest", vmin=0)
    _ticks(below.set_xticks, grid.columns, 24, rotation=60)
    _ticks(below.set_yticks, grid.rows, 16)
    figure.colorbar(image, ax=below, label="squared error, in deviations")
    below.set_title("worst window", fontsize="medium")
    pictures.write(path, figure, 120)


def _ticks(place: Callable[..., Any], names: list[str], most: int, **style: Any) -> None:
    step = max(1, -(-len(names) // most))
    chosen = range(0, len(names), step)
    place(list(chosen), [names[index] for index in chosen], fontsize="x-small", **style)
