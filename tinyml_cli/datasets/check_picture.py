"""Draws a data folder. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyml_cli.datasets.checks import DataReport
from tinyml_cli.pages import pictures

_DPI = 150
_WIDTH_INCHES, _BAR_INCHES = 9.0, 0.28
# Neighbouring people alternate between two blues, bad files stand out in vermilion (Okabe and Ito).
_PERSON_COLOURS = ("#0072b2", "#56b4e9")
_BAD_COLOUR = "#d55e00"
_MOST_PEOPLE_DRAWN = 60


def draw(report: DataReport, path: Path) -> None:
    """Writes a PNG: a bar per label, each person a piece of it, bad files at its end.

    Raises:
        TinymlError: the file cannot be written.
    """
    kind, labels = report.kind, report.labels()
    names = sorted(labels, key=lambda name: (name.startswith("_"), name), reverse=True)
    figure = pictures.new(_WIDTH_INCHES, 1.4 + _BAR_INCHES * len(names))
    axes = figure.add_subplot()
    for row, name in enumerate(names):
        figures, left = labels[name], 0
        for index, count in enumerate(_pieces(figures.by_person)):
            axes.barh(row, count, left=left, color=_PERSON_COLOURS[index % 2], height=0.75)
            left += count
        axes.barh(row, figures.bad, left=left, color=_BAD_COLOUR, height=0.75)
        label = f" {figures.files:,}" + (f" · {figures.people:,} {kind.people}" if figures.people else "")
        label += f" · {figures.bad:,} bad" if figures.bad else ""
        axes.text(left + figures.bad, row, label, va="center", fontsize=8)
    bad = any(figures.bad for figures in labels.values())
    person = "; each segment is one of the " + kind.people if report.people else ""
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel(kind.files + person + (", orange is bad" if bad else ""))
    axes.margins(x=0.25, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    pictures.write(path, figure, _DPI)


def _pieces(counts: Sequence[int]) -> list[int]:
    """Files of each person, the most first; beyond sixty people the rest is one piece."""
    head, tail = counts[:_MOST_PEOPLE_DRAWN], counts[_MOST_PEOPLE_DRAWN:]
    return [*head, sum(tail)] if tail else [*head]
