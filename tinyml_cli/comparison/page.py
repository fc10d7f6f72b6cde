"""compare.html: a self-contained page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml_cli import __version__
from tinyml_cli.comparison.picture import TITLES, UNITS, Drawn, cost, panels, quality
from tinyml_cli.comparison.text import verdict
from tinyml_cli.outcomes.comparisons import Compared
from tinyml_cli.pages.svg_chart import Chart, Tick
from tinyml_cli.pages.templates import html

if TYPE_CHECKING:
    from markupsafe import Markup


def render(document: Compared) -> str:
    """The page as text; equal figures give equal bytes."""
    rows, reference = document.models, document.reference
    return html(
        "compare.html",
        command="tinyml compare",
        title="Comparison",
        about=reference,
        lead=f"Reference: {reference}",
        version=__version__,
        charts=[_chart(axis, shown) for axis, shown in panels(rows)],
        rows=[(row, verdict(row, reference)) for row in rows],
        pairs=document.pairs,
        notes=document.notes,
    )


def _chart(axis: str, rows: Sequence[Drawn]) -> Markup:
    unit = UNITS[axis]
    lowest = min(min(row.ci95[0] if row.ci95 else quality(row) for row in rows), 0.99)
    floor = math.floor(lowest * 10) / 10
    steps = [floor + i * (1 - floor) / 4 for i in range(5)]
    share = [(step, f"{100 * step:.3g}") for step in steps]
    chart = Chart(
        _ticks(max(cost(row, axis) / unit for row in rows)), share, TITLES[axis], f"{rows[0].measure} (%)"
    )
    best = sorted((cost(row, axis) / unit, quality(row)) for row in rows if row.front)
    if len(best) > 1:
        chart.line(best, "thin c1")
    for row in rows:
        style = "c1" if row.front else "c0"
        if row.ci95:
            low, high = row.ci95
            chart.whisker(cost(row, axis) / unit, low, high, style)
        chart.dot(
            cost(row, axis) / unit,
            quality(row),
            style,
            f"{row.name}: {quality(row):.3f}, {cost(row, axis):,}",
        )
    chart.names([(cost(row, axis) / unit, quality(row), row.name) for row in rows])
    text = ", ".join(f"{row.name} {quality(row):.3f} at {cost(row, axis):,}" for row in rows)
    return chart.render(f"{TITLES[axis]}: {text}")


def _ticks(largest: float) -> list[Tick]:
    """Five round steps from zero to at least the largest value."""
    raw = max(largest, 1e-9) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [(i * step, f"{i * step:g}") for i in range(5)]
