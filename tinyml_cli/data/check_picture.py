"""Draws a data folder. Imports matplotlib, so import this module only when one is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tinyml_cli.data.survey import Clip
from tinyml_cli.files import write_atomic

_DPI = 150
_WIDTH_INCHES, _BAR_INCHES = 9.0, 0.28
# Neighbouring speakers alternate between two blues, the bad clips stand out in vermilion (Okabe and Ito).
_SPEAKER_COLOURS = ("#0072b2", "#56b4e9")
_BAD_COLOUR = "#d55e00"
_MOST_SPEAKERS_DRAWN = 60


def draw(clips: Sequence[Clip], bad: frozenset[Path], path: Path) -> None:
    """Writes a PNG: a bar per word, each speaker a piece of it, bad clips at its end.

    Raises:
        TinymlError: the file cannot be written.
    """
    words = sorted({clip.word for clip in clips}, key=lambda word: (word.startswith("_"), word), reverse=True)
    figure = Figure(figsize=(_WIDTH_INCHES, 1.4 + _BAR_INCHES * len(words)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, word in enumerate(words):
        good = Counter(c.speaker for c in clips if c.word == word and c.path not in bad)
        wrong = sum(c.word == word and c.path in bad for c in clips)
        left = 0
        for index, count in enumerate(_pieces(good)):
            axes.barh(row, count, left=left, color=_SPEAKER_COLOURS[index % 2], height=0.75)
            left += count
        axes.barh(row, wrong, left=left, color=_BAD_COLOUR, height=0.75)
        label = f" {left + wrong:,} · {len(good):,} speakers" + (f" · {wrong:,} bad" if wrong else "")
        axes.text(left + wrong, row, label, va="center", fontsize=8)
    axes.set_yticks(range(len(words)), words)
    axes.set_xlabel("clips; each piece is a speaker" + (", orange is bad" if bad else ""))
    axes.margins(x=0.25, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    stream = BytesIO()
    figure.savefig(stream, dpi=_DPI, format="png")
    write_atomic(path, stream.getvalue())


def _pieces(speakers: Counter[str]) -> list[int]:
    """Clips of each speaker, the largest first; beyond sixty speakers the rest is one piece."""
    counts = sorted(speakers.values(), reverse=True)
    head, tail = counts[:_MOST_SPEAKERS_DRAWN], counts[_MOST_SPEAKERS_DRAWN:]
    return [*head, sum(tail)] if tail else head
