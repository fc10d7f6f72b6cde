"""What every lesson ends in, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyml_cli.console import console
from tinyml_cli.outcomes.base import Outcome

Rows = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Lesson:
    """A finished experiment; its picture is written.

    Attributes:
        outcome: for JSON.
        text: what it shows, in sentences.
        drawing: the picture in characters, for a terminal.
        tables: (title, column heads, rows).
    """

    outcome: Outcome
    text: str
    drawing: str = ""
    tables: Sequence[tuple[str, Sequence[str], Rows]] = field(default=())


def show(lesson: Lesson) -> None:
    """Prints a lesson: its tables, in a terminal the drawing, and its sentences; or one JSON object."""
    for title, heads, rows in lesson.tables:
        console.table(title, heads, rows)
    if lesson.drawing and console.is_terminal:
        console.info(f"{lesson.drawing}\n")
    console.result(lesson.outcome, lesson.text)


def number(value: float) -> str:
    """A number as people read it: four significant digits, and 0 for what rounding leaves of it."""
    return f"{value:.4g}" if abs(value) > 1e-12 else "0"


def line_text(w: float, b: float) -> str:
    """ "y = 3 x - 1"."""
    return f"y = {number(w)} x {'-' if b < 0 else '+'} {number(abs(b))}"
