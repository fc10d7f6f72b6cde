"""A picture of drift: how far each quantity is, and the distributions of the worst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli.evaluation.drift.compare import KS_DRIFT, PSI_DRIFT, Shift
from tinyml_cli.evaluation.drift.looks import Values
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.files import atomic_path

_BARS = 24
_CURVES = 3
_THEN, _NOW = "#2b6cb0", "#c05621"


def drift_png(path: Path, shifts: Sequence[Shift], reference: Reference, values: Values, title: str) -> None:
    """PSI and KS of the worst quantities, pale where no drift; cumulated shares of the worst three."""
    from matplotlib.figure import Figure

    worst = list(shifts[:_BARS])
    figure = Figure(figsize=(11, 1.5 + 0.28 * max(len(worst), 8)), layout="constrained")
    grid = figure.add_gridspec(_CURVES, 2, width_ratios=[3, 2])
    bars = figure.add_subplot(grid[:, 0])
    place = np.arange(len(worst))
    for height, color, name in ((-0.2, _NOW, "PSI"), (0.2, _THEN, "KS")):
        drawn = bars.barh(
            place + height, [getattr(s, name.lower()) for s in worst], 0.4, color=color, label=name
        )
        for bar, shift in zip(drawn, worst, strict=True):
            bar.set_alpha(1.0 if shift.drifted else 0.35)
    bars.axvline(PSI_DRIFT, color=_NOW, lw=0.8, ls=":")
    bars.axvline(KS_DRIFT, color=_THEN, lw=0.8, ls=":")
    bars.set_yticks(place, [shift.name for shift in worst], fontsize="x-small")
    bars.set_xlim(0, max(1.0, min(4.0, max((shift.psi for shift in worst), default=1.0))))
    bars.invert_yaxis()
    bars.legend(fontsize="small")
    bars.set_title(title)
    for row, shift in enumerate(worst[:_CURVES]):
        axes = figure.add_subplot(grid[row, 1])
        column = reference.columns[shift.name]
        ordered = np.sort(values[shift.name])
        axes.step(column.edges, np.cumsum(column.shares)[:-1], color=_THEN, where="post", label="then")
        axes.step(
            ordered, np.arange(1, len(ordered) + 1) / len(ordered), color=_NOW, where="post", label="now"
        )
        axes.set_ylim(0, 1)
        axes.set_title(shift.name, fontsize="small")
        axes.legend(fontsize="x-small")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
