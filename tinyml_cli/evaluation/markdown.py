"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def percent(share: float | None) -> str:
    """A share, or a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def percent_range(limits: Sequence[float]) -> str:
    """Two shares."""
    return f"{100 * limits[0]:.1f}–{100 * limits[1]:.1f} %"
