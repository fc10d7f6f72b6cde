"""Pictures of scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyml_cli.files import atomic_path

if TYPE_CHECKING:
    from tinyml_cli.evaluation.anomaly.evaluate import Judged

_NORMAL, _FAULT, _LINE = "#2b6cb0", "#c05621", "#1a202c"


def scores_png(path: Path, judged: Judged, threshold: int, title: str) -> None:
    """Scores of each condition as points, with the threshold, on a logarithmic axis."""
    from matplotlib.figure import Figure

    conditions = np.array([judged.recordings[index].condition for index in judged.recording])
    order = sorted(set(conditions[~judged.is_fault])) + sorted(set(conditions[judged.is_fault]))
    figure = Figure(figsize=(8, 1.2 + 0.45 * len(order)), layout="constrained")
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
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
