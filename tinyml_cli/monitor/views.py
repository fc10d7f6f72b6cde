"""Displays a board's events: as lines for people, as JSON for programs; live.py draws their state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from rich.console import RenderableType

from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.link.link import Reconnected
from tinyml_cli.link.protocol import Ack, Event, Malformed, Nak, Ready, Text, printable
from tinyml_cli.monitor.filters import HEARD
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.outcomes.monitoring import PlayedClip

Draw = Callable[[RenderableType], None]

_FULL_SCALE = 32_768
QUIETEST_DBFS = -60.0


class View(Protocol):
    """Shows one session."""

    def start(self, ready: Ready) -> None:
        """The board has answered."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def clip(self, clip: PlayedClip) -> None:
        """A recording was played to its end."""

    def end(self, summary: Summary) -> None:
        """Nothing follows."""


class JsonView:
    """One JSON object a line on stdout."""

    def start(self, ready: Ready) -> None:
        console.event(ready.as_dict())

    def event(self, event: Event) -> None:
        told_twice = isinstance(event, Text) and HEARD in event.text
        if not told_twice and not isinstance(event, Ack | Nak | Malformed):
            console.event(event.as_dict())

    def clip(self, clip: PlayedClip) -> None:
        console.event(clip.as_dict())

    def end(self, summary: Summary) -> None:
        console.event(summary.outcome().as_dict())


class LineView:
    """Plain lines, for people and pipes."""

    def __init__(self, board: str) -> None:
        self._board = board

    def introduce(self, ready: Ready) -> None:
        """Says what answers."""
        console.info(
            f"{self._board}: tinyml {printable(ready.tinyml)}, {printable(ready.app)}, "
            f"engine {printable(ready.engine)}, model {printable(ready.model)}, "
            f"arena {ready.arena_used:,} of {ready.arena_bytes:,} bytes"
        )

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        words = [label for label in ready.labels if label not in (SILENCE, UNKNOWN)]
        console.info(f"Listening for: {', '.join(map(printable, words))}  (Ctrl-C stops)")

    def event(self, event: Event) -> None:
        if isinstance(event, Text):
            console.info(event.text)
        elif isinstance(event, Ready):
            console.warn("the device rebooted")
        elif isinstance(event, Reconnected):
            console.warn("the port disappeared and is back")

    def clip(self, clip: PlayedClip) -> None:
        # Of two models on a board, the one that looks names itself.
        sensed = "saw" if clip.model is not None else "heard"
        recording_ms = clip.recording_ms
        when = "" if recording_ms is None else f" at {recording_ms / 1000:.2f} s of the recording"
        console.info(
            f"{printable(clip.file)}: expected {clip.expected or 'anything'}, "
            f"{sensed} {printable(clip.detected or 'nothing')}{when}"
        )

    def end(self, summary: Summary) -> None:
        console.info(str(summary))


def duration(milliseconds: int) -> str:
    """1:02:03 for an hour, two minutes and three seconds."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def level_dbfs(rms: int) -> float:
    """Root mean square of int16 samples in dB below full scale, -60 at least."""
    return max(QUIETEST_DBFS, 20 * math.log10(max(rms, 1) / _FULL_SCALE))
