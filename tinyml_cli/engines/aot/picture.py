"""Draws a memory plan. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

from typing import Any

from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter

from tinyml_cli.outcomes.stages import MemoryPlan, PlannedBuffer
from tinyml_cli.pages import pictures

_DPI = 150
_INK, _FAINT = "#1b2a41", "#b8c2cc"
# Okabe and Ito's palette: told apart by colour-blind readers too.
_COLOURS = {
    "input": "#009e73",
    "tensor": "#56b4e9",
    "output": "#e69f00",
    "state": "#cc79a7",
    "scratch": "#cccccc",
}
_DARKER = "#3d9bd1"
_STRIPED = "#fbeecb"
_COLUMN_INCHES, _HEIGHT_INCHES = 0.42, 4.6
_SMALLEST_WIDTH_INCHES, _LARGEST_WIDTH_INCHES = 7.0, 22.0
_CHARACTER_INCHES, _LINE_INCHES = 0.075, 0.13


def memory_plan_png(plan: MemoryPlan, name: str) -> bytes:
    """A PNG with operators from left to right and the arena's bytes upwards: a rectangle for each buffer.

    Where an operator writes its output over its input, one ends and the other begins in the middle of the
    operator's column.

    Args:
        plan: what `listing.document` gives.
        name: of the model, for the title.
    """
    operators = plan.operators
    # Column 0 is before the first operator, the last one after the last.
    columns = {operator.index: place + 1 for place, operator in enumerate(operators)}
    count = len(operators) + 2
    width = min(max(_SMALLEST_WIDTH_INCHES, _COLUMN_INCHES * count + 1.5), _LARGEST_WIDTH_INCHES)
    figure = pictures.new(width, _HEIGHT_INCHES)
    axes = figure.add_subplot()
    top = 1.08 * max(plan.arena_bytes, 1)
    scale = ((width - 1.2) / count, (_HEIGHT_INCHES - 1.9) / top)
    shades = 0
    for row in plan.buffers:
        shades += row.role == "tensor"
        colour = _DARKER if row.role == "tensor" and shades % 2 else _COLOURS[row.role]
        _draw_buffer(axes, row, _span(plan, row, columns), colour, scale)
    _draw_stripes(axes, plan, columns, top)
    _draw_peak(axes, plan, count)
    axes.set_xlim(0, count)
    axes.set_ylim(0, top)
    names = ["inputs", *(f"{op.index} {op.name}" for op in operators), "outputs"]
    axes.set_xticks(
        [place + 0.5 for place in range(count)], names, rotation=60, ha="right", rotation_mode="anchor"
    )
    _style(axes, plan)
    axes.set_title(_title(plan, name), fontsize=10, loc="left", color=_INK, pad=20)
    return pictures.png(figure, _DPI)


def _title(plan: MemoryPlan, name: str) -> str:
    outside = ", inputs and outputs in the caller's buffers" if plan.io == "caller" else ""
    return (
        f"{name}: {plan.sum_of_buffers_bytes:,} bytes of buffers in an arena of "
        f"{plan.arena_bytes:,} bytes{outside}"
    )


def _span(plan: MemoryPlan, row: PlannedBuffer, columns: dict[int, int]) -> tuple[float, float]:
    """From where to where on the axis of operators a buffer is needed."""
    end = len(columns) + 1
    first, last = (columns.get(index, 0 if index < 0 else end) for index in (row.first, row.last))
    followed = any(row.name in other.in_place_of for other in plan.buffers)
    return first + 0.5 * bool(row.in_place_of), last + 1 - 0.5 * followed


def _draw_buffer(
    axes: Any, row: PlannedBuffer, span: tuple[float, float], colour: str, scale: tuple[float, float]
) -> None:
    """One rectangle, labelled where the label fits; `scale` is inches per column and per byte."""
    left, right = span
    axes.add_patch(
        Rectangle(
            (left, row.offset),
            right - left,
            row.bytes,
            facecolor=colour,
            edgecolor="white",
            linewidth=0.8,
            hatch="////" if row.role == "scratch" else None,
        )
    )
    width, height = (right - left) * scale[0], row.bytes * scale[1]
    shape = "×".join(str(size) for size in row.shape if size > 1) or row.role
    size = f"{row.bytes:,} B"
    for lines in ([shape, size], [f"{shape}, {size}"], [shape], [size]):
        needed = max(map(len, lines)) * _CHARACTER_INCHES, len(lines) * _LINE_INCHES
        turned = needed[0] > width and needed[0] <= height and needed[1] <= width
        if not turned and (needed[0] > width or needed[1] > height):
            continue
        axes.text(
            (left + right) / 2, row.offset + row.bytes / 2, "\n".join(lines), fontsize=7, color=_INK,
            ha="center", va="center", rotation=90 if turned else 0,
        )  # fmt: skip
        return


def _draw_stripes(axes: Any, plan: MemoryPlan, columns: dict[int, int], top: float) -> None:
    """A band behind the operators that run in stripes."""
    if plan.stripes is None:
        return
    left, right = columns[plan.stripes.first], columns[plan.stripes.last] + 1
    axes.axvspan(left, right, color=_STRIPED, zorder=0)
    axes.text(
        (left + right) / 2, top, f"{plan.stripes.stripes} stripes", fontsize=7, color=_INK,
        ha="center", va="top",
    )  # fmt: skip


def _draw_peak(axes: Any, plan: MemoryPlan, count: int) -> None:
    peak = plan.arena_bytes
    axes.axhline(peak, color="#d55e00", linewidth=1.2, linestyle="--")
    axes.annotate(
        f"peak {peak:,} B", (count, peak), xytext=(-4, 3), textcoords="offset points", ha="right",
        color="#d55e00", fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _style(axes: Any, plan: MemoryPlan) -> None:
    axes.set_ylabel("offset in the arena, bytes", fontsize=8, color=_INK)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(axis="both", length=0, labelsize=7, colors=_INK)
    axes.grid(axis="y", color=_FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    for edge in axes.spines.values():
        edge.set_visible(False)
    roles = [role for role in _COLOURS if any(row.role == role for row in plan.buffers)]
    if roles:
        axes.legend(
            handles=[
                Patch(facecolor=_COLOURS[role], label=role, hatch="////" if role == "scratch" else None)
                for role in roles
            ],
            loc="lower left", bbox_to_anchor=(0, 1), ncols=len(roles), fontsize=7, frameon=False,
            handlelength=1, columnspacing=1.2, borderaxespad=0.1,
        )  # fmt: skip
