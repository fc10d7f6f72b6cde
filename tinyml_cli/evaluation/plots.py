"""Pictures for reports. Imports matplotlib, so import this module only when one is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.pages import pictures
from tinyml_cli.statistics.metrics import Classification

_DPI = 150
_MAX_CELL_TEXT = 20


def confusion_png(path: Path, result: Classification, title: str) -> None:
    """Draws a confusion matrix: colour is the share of the true class, numbers are counts."""
    matrix, size = result.confusion, len(result.labels)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = max(4.2, 0.62 * size + 2.2)
    figure = pictures.new(side, side)
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(size), result.labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), result.labels)
    axes.set_xlabel("Predicted")
    axes.set_ylabel("True")
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)
    if size <= _MAX_CELL_TEXT:
        for row, column in np.ndindex(size, size):
            _write_cell(axes, row, column, int(matrix[row, column]), float(share[row, column]))
    pictures.write(path, figure, _DPI)


def _write_cell(axes: object, row: int, column: int, count: int, share: float) -> None:
    colour = "white" if share > 0.55 else "#1b2a41" if count else "#b8c2cc"
    text = f"{count}\n{share:.0%}" if count else "0"
    axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)  # type: ignore[attr-defined]
