"""A picture of drift: how far each quantity is, and the distributions of the worst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.drift.compare import KS_DRIFT, PSI_DRIFT
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.outcomes.boards import Shift

_BARS = 24
_CURVES = 3
_LONGEST_BAR = 4.0
_THEN, _NOW = "#2b6cb0", "#c05621"


def drift_png(
    path: Path,
    shifts: Sequence[Shift],
    reference: Reference,
    values: Values,
    title: str,
    limits: tuple[float, float] = (PSI_DRIFT, KS_DRIFT),
) -> None:
    """PSI and KS of the worst quantities, pale where no drift; cumulated shares of the worst three.

    Args:
        shifts: the worst first.
        reference, values: what was compared.
        limits: of PSI and KS, drawn as dotted lines.
    """
    from tinyml_cli.pages import pictures

    worst = list(shifts[:_BARS])
    figure = pictures.new(10.5, 1.6 + 0.27 * max(len(worst), 12))
    grid = figure.add_gridspec(_CURVES, 2, width_ratios=[1, 1])
    _draw_bars(figure.add_subplot(grid[:, 0]), worst, limits)
    for row, shift in enumerate(worst[:_CURVES]):
        _draw_curve(figure.add_subplot(grid[row, 1]), shift, reference, values, row == 0)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    pictures.write(path, figure, 110)


def _draw_bars(axes: Any, worst: Sequence[Shift], limits: tuple[float, float]) -> None:
    place = np.arange(len(worst))
    for height, color, name, limit in ((-0.2, _NOW, "PSI", limits[0]), (0.2, _THEN, "KS", limits[1])):
        found = [getattr(shift, name.lower()) for shift in worst]
        label = f"{name}, limit {limit:g}"
        for bar, shift in zip(
            axes.barh(place + height, found, 0.4, color=color, label=label), worst, strict=True
        ):
            bar.set_alpha(1.0 if shift.drifted else 0.35)
        axes.axvline(limit, color=color, lw=1, ls=":")
    axes.set_yticks(place, [shift.name for shift in worst], fontsize="small")
    largest = max((value for shift in worst for value in (shift.psi, shift.ks)), default=0.0)
    axes.set_xlim(0, min(_LONGEST_BAR, 1.05 * max(largest, *limits)))
    axes.set_ylim(len(worst) - 0.4, -0.6)
    axes.set_xlabel("distance from the reference; full colour: drift")
    axes.legend(fontsize="small", loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_curve(axes: Any, shift: Shift, reference: Reference, values: Values, first: bool) -> None:
    column = reference.columns[shift.name]
    ordered = np.sort(values[shift.name])
    shares = np.arange(1, len(ordered) + 1) / len(ordered)
    axes.step(column.edges, np.cumsum(column.shares)[:-1], color=_THEN, where="post", label="reference")
    axes.step(ordered, shares, color=_NOW, where="post", label="log")
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize="small")
    axes.tick_params(labelsize="small")
    axes.set_title(f"{shift.name}: share of values below", fontsize="small", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    if first:
        axes.legend(fontsize="small", loc="lower right", frameon=False)
