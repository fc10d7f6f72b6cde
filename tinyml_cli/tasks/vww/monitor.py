"""What the monitor of a board with a camera shows, and how it shows images to the board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.link.frames import FrameFiles
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Person, Ready, TraceMode
from tinyml_cli.link.protocol.disclosure import STATUS, Disclosed
from tinyml_cli.monitor.filters import Filter
from tinyml_cli.monitor.task_monitor import OnEvent, TaskMonitor
from tinyml_cli.monitor.views import Draw, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.vww.replay import pictures, replay_images
from tinyml_cli.tasks.vww.view import FrameLines, FrameView


class ImageMonitor(TaskMonitor):
    """What is seen; with --png, each frame as a file."""

    sense = "camera"
    live_traces = ("features", "status")
    takes = frozenset({"png", "camera"})
    sends = (
        Disclosed("person", "always", "that somebody came or left, the score and the time"),
        Disclosed("image", "always", "the int8 scores of every frame; no pixels"),
        STATUS,
        Disclosed("input", "features", "every pixel that the model sees", True),
    )

    def check(self) -> None:
        if self.options.replay is not None:
            pictures(self.options.replay, tell=True)

    @property
    def filters(self) -> list[Filter]:
        return [] if self.options.png is None else [FrameFiles(self.options.png, self.manifest)]

    @property
    def traces(self) -> tuple[TraceMode, ...]:
        return () if self.options.png is None else ("features",)

    def lines(self) -> View:
        return FrameLines(self.board.name)

    def live(self, draw: Draw) -> View:
        return FrameView(self.board, self.manifest, draw)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        return replay_images(link, source, self.manifest, show, stop_at)

    def take(self, event: Event) -> bool:
        self.summary.detections += isinstance(event, Person) and event.present
        return True
