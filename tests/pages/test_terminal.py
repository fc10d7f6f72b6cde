"""Drawings of characters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.pages import terminal


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_a_picture_fits(rows: int, columns: int) -> None:
    lines = terminal.shades(np.full((rows, columns), 255, np.uint8)).split("\n")
    assert len(lines) <= 22
    assert {len(line) for line in lines} == {len(lines[0])}
    assert 1 <= len(lines[0]) <= 60
    assert set("".join(lines)) == {"█"}


@pytest.mark.parametrize("columns", ["40", "80"])
def test_nothing_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    drawings = [
        terminal.plot([0, 1, 2], [5, -1e-9, 1e9], [(1, 3)]),
        terminal.bars({"convolutions + augmentation": 8.0, "dense": 61.7, "negative": -1}),
        terminal.shades(np.zeros((50, 100), np.uint8), {"x": (0.5, 0.5), "o": (2.0, 0.0)}),
    ]
    assert max(len(line) for drawing in drawings for line in drawing.split("\n")) <= int(columns)
    assert "x" in drawings[2]
    assert "o" not in drawings[2]


def test_a_curve_goes_up_where_its_values_do() -> None:
    lines = [line[10:] for line in terminal.plot([0, 1], [0, 1]).split("\n")]
    first = [next(at for at, letter in enumerate(line) if letter != "⠀") for line in lines]
    assert first == sorted(first, reverse=True)


def test_what_does_not_change_is_drawn_too() -> None:
    assert terminal.plot([1], [2])
    assert terminal.bars({"a": 0.0})
