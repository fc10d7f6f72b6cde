"""The monitor of a wand: detections scroll by, with the last stroke below."""

from __future__ import annotations

import shutil

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.features.gesture_settings import UNKNOWN
from tinyml_cli.features.raster import SIZE, rasterise
from tinyml_cli.link.frames import half_blocks
from tinyml_cli.link.protocol import Event, Gesture, Ready, Stroke, Text, printable
from tinyml_cli.monitor.live import LiveView
from tinyml_cli.monitor.views import Draw, LineView
from tinyml_cli.outcomes.monitoring import PlayedClip

_OTHER_LINES = 6


class GestureLines(LineView):
    """Plain lines, for people and pipes."""

    _draws = False

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        labels = [label for label in ready.labels if label != UNKNOWN]
        console.info(f"Waiting for: {', '.join(map(printable, labels))}  (Ctrl-C stops)")

    def event(self, event: Event) -> None:
        self._draws = self._draws or isinstance(event, Stroke)
        # Windows of raw motion follow each other for ever: most of them are no gesture, and no news.
        if isinstance(event, Gesture) and event.label == UNKNOWN and (self._draws or event.best != UNKNOWN):
            near = "" if event.best == UNKNOWN else f" (nearest: {printable(event.best)}, {event.score:.0%})"
            console.info(f"No known gesture{near} @{event.t_ms}ms")
        super().event(event)

    def clip(self, clip: PlayedClip) -> None:
        console.info(
            f"{printable(clip.file)}: expected {printable(clip.expected or 'anything')}, "
            f"recognised {printable(clip.detected or 'nothing')}"
        )


class GestureView(LiveView, GestureLines):
    """Lines as in GestureLines, with the last stroke beneath them in place of the board's own drawing."""

    pause_s = 0.0

    def __init__(self, board: Board, draw: Draw) -> None:
        super().__init__(board, draw)
        self._picture: RenderableType = Styled("no stroke yet", style="bright_black")
        self._answer = Styled("")

    def takes(self, event: Event) -> bool:
        if isinstance(event, Stroke):
            self._picture = picture_of(event)
            self._answer = Styled("")
            return True
        if isinstance(event, Gesture):
            known = event.label != UNKNOWN
            self._answer = Styled(
                f"{printable(event.label)} {event.score:.0%}", style="bold green" if known else "yellow"
            )
        return isinstance(event, Text) and is_drawing(event.text)

    def state(self) -> RenderableType:
        return Group(self._picture, self._answer)


def picture_of(stroke: Stroke) -> RenderableType:
    """A stroke as coloured half blocks: red at its start, green in its middle, blue at its end."""
    points = np.frombuffer(stroke.points, np.int8)
    if len(points) < 2 or len(points) % 2:
        return Styled("a stroke without points", style="yellow")
    lines = shutil.get_terminal_size().lines
    side = min(SIZE, 2 * max(lines - _OTHER_LINES, 4))
    return half_blocks(rasterise(points.reshape(-1, 2)), side)


def is_drawing(line: str) -> bool:
    """Whether the line is one of the board's own drawing of a stroke."""
    return len(line) == SIZE and set(line) <= set(".o+*")
