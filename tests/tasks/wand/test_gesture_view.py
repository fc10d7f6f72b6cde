"""What a person sees of a wand: lines, and the stroke in place of the board's own drawing."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tinyml_cli.boards.boards import load_board
from tinyml_cli.console import console
from tinyml_cli.link.protocol import Gesture, Stroke, Text
from tinyml_cli.tasks.wand.view import GestureLines, GestureView, is_drawing

STROKE = Stroke(t_ms=5, points=np.array([[-60, 0], [0, 0], [60, 0]], np.int8).tobytes())


def gesture(label: str, best: str, score: float) -> Gesture:
    return Gesture(label=label, best=best, score=score, t_ms=1500)


def drawn(renderable: Any) -> str:
    screen = Console(file=io.StringIO(), width=80, color_system="truecolor", force_terminal=True)
    screen.print(renderable)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_refused_motion_is_told_with_what_it_was_nearest_to(capsys: pytest.CaptureFixture[str]) -> None:
    console.quiet = False
    view = GestureLines("native")
    view.event(gesture("unknown", "unknown", 0.9))  # a window of raw motion: no news
    view.event(gesture("unknown", "wing", 0.41))
    view.event(STROKE)
    view.event(gesture("unknown", "unknown", 0.9))
    view.event(gesture("wing", "wing", 0.97))  # the board's own line tells it
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert lines == ["No known gesture (nearest: wing, 41%) @1500ms", "No known gesture @1500ms"]


def test_the_stroke_stands_in_colours_below_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console.quiet = False
    screens: list[Any] = []
    view = GestureView(load_board("native"), screens.append)
    view.event(STROKE)
    view.event(Text(text="." * 12 + "ooo++***" + "." * 12))
    view.event(Text(text="Recognised wing (97%) @1500ms"))
    view.event(gesture("wing", "wing", 0.97))
    picture = drawn(screens[-1])
    assert "▀" in picture and "wing 97%" in picture
    said = capsys.readouterr()
    assert "ooo" not in said.out + said.err and "Recognised wing" in said.out + said.err


@pytest.mark.parametrize("points", [b"", b"\x01", b"\x01\x02\x03"])
def test_a_stroke_without_points_is_no_accident(points: bytes) -> None:
    screens: list[Any] = []
    GestureView(load_board("native"), screens.append).event(Stroke(t_ms=1, points=points))
    assert "without points" in drawn(screens[-1])


def test_only_the_board_s_drawing_is_taken_for_one() -> None:
    assert is_drawing("." * 32) and is_drawing("o+*." * 8)
    assert not is_drawing("." * 31) and not is_drawing("Recognised wing (97%) @1500ms ..")
