"""Colours of lines, as classes of the style sheet."""

from __future__ import annotations

_COLOURS = 8  # classes c0 … c7


def colour(index: int) -> str:
    """The style of the n-th line: a colour, dashed where all were used once."""
    return f"c{index % _COLOURS}{' again' if index >= _COLOURS else ''}"
