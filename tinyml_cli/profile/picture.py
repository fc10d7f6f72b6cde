"""Draws a profile. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter

from tinyml_cli.outcomes.profiles import OperatorCost, ProfileFigures
from tinyml_cli.pages import pictures
from tinyml_cli.profile.text import short

_DPI = 150
_WIDTH_INCHES = 9.5
_INK = "#1b2a41"
_FAINT = "#b8c2cc"
# Okabe and Ito's palette: told apart by colour-blind readers too.
_COMPONENT_COLOURS = {
    "multiply": "#0072b2",
    "arithmetic": "#56b4e9",
    "load": "#e69f00",
    "store": "#f0e442",
    "branch": "#d55e00",
    "other": "#999999",
}
_KIND_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_REST = "#999999"
_MOST_BARS = 40
_SMALLEST_LABELLED_SHARE = 0.06


def draw(path: Path, report: ProfileFigures) -> None:
    """Writes a PNG: shares of the operator kinds, and a bar per operator, stacked by what takes the cycles.

    Args:
        report: one with counts.

    Raises:
        TinymlError: the file cannot be written.
    """
    rows = [row for row in report.operators if row.cycles][:_MOST_BARS]
    height = 2.5 + 0.3 * max(len(rows), 4)
    figure = pictures.new(_WIDTH_INCHES, height)
    shares, layers = figure.subplots(2, 1, height_ratios=[0.55, 0.3 * max(len(rows), 4)])
    _draw_shares(shares, report)
    _draw_layers(layers, rows, report.cycles or 1)
    figure.suptitle(_title(report), x=0.01, ha="left", fontsize=11, color=_INK)
    pictures.write(path, figure, _DPI)


def _title(report: ProfileFigures) -> str:
    clock_mhz = (report.clock_hz or 0) / 1e6
    return (
        f"{report.run}, engine {report.engine}: {short(report.instructions)} instructions (emulated), "
        f"{short(report.cycles)} cycles,\n{report.time_ms:.1f} ms at {clock_mhz:g} MHz (estimated)"
    )


def _draw_shares(axes: Any, report: ProfileFigures) -> None:
    """One bar of the whole inference, by operator kind, in instructions."""
    counts: Counter[str] = Counter()
    for row in report.operators:
        counts[row.name] += row.instructions or 0
    counts["engine"] += (report.outside or {}).get("instructions", 0)
    total, left = max(sum(counts.values()), 1), 0.0
    shown = [(name, count) for name, count in counts.most_common() if count / total >= 0.005]
    for place, (name, count) in enumerate(shown):
        share = count / total
        colour = _KIND_COLOURS[place] if place < len(_KIND_COLOURS) else _REST
        axes.barh(0, share, left=left, color=colour, edgecolor="white", label=f"{name} {share:.1%}")
        if share >= _SMALLEST_LABELLED_SHARE:
            axes.text(
                left + share / 2, 0, f"{share:.0%}", ha="center", va="center", color="white", fontsize=9
            )
        left += share
    axes.set_xlim(0, 1)
    axes.set_title("Instructions by operator kind", fontsize=9, loc="left", color=_INK)
    axes.axis("off")
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 0.05), ncols=4, fontsize=8, frameon=False,
        handlelength=1, borderaxespad=0.0,
    )  # fmt: skip


def _draw_layers(axes: Any, rows: list[OperatorCost], total_cycles: int) -> None:
    """A bar per operator, in cycles."""
    places = range(len(rows))
    left = [0.0] * len(rows)
    for component, colour in _COMPONENT_COLOURS.items():
        widths = [float(row.components.get(component, 0)) for row in rows]
        if any(widths):
            axes.barh(places, widths, left=left, color=colour, label=component, height=0.72)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    longest = max([*left, 1.0])
    for place, row in enumerate(rows):
        axes.text(
            left[place] + longest * 0.01, place, _note(row, total_cycles), va="center", fontsize=8, color=_INK
        )
    axes.set_yticks(places, [f"{row.name}  {row.index}" for row in rows], fontsize=8)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.3)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.tick_params(axis="both", length=0, labelsize=8, colors=_INK)
    axes.grid(axis="x", color=_FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    for edge in axes.spines.values():
        edge.set_visible(False)
    axes.set_title("Estimated cycles by operator and instruction kind", fontsize=9, loc="left", color=_INK)
    if rows:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=6, fontsize=8, frameon=False, handlelength=1,
            columnspacing=1.2, borderaxespad=0.1,
        )  # fmt: skip


def _note(row: OperatorCost, total_cycles: int) -> str:
    share = (row.cycles or 0) / total_cycles
    per_mac = f", {row.instructions_per_mac:.2g} instr/MAC" if row.instructions_per_mac is not None else ""
    return f"{share:.1%}{per_mac}"
