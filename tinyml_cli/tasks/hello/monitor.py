"""What the monitor shows of a breathing light, and how it drives a virtual board."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Ready, Wave
from tinyml_cli.link.protocol.disclosure import STATUS, Disclosed
from tinyml_cli.monitor.task_monitor import OnEvent, TaskMonitor
from tinyml_cli.monitor.views import Draw, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.run import MODEL_INT8
from tinyml_cli.tasks.hello import replay
from tinyml_cli.tasks.hello.curve import CurveModel, HelloSettings
from tinyml_cli.tasks.hello.view import HelloLines, HelloLive


class HelloMonitor(TaskMonitor):
    """The curve as it is drawn."""

    needs_feed = False
    sends = (Disclosed("wave", "always", "points of the curve; there is no sensor"), STATUS)

    def check(self) -> None:
        self._settings = self.manifest.settings_as(HelloSettings)
        self._model = CurveModel(self.run.require(self.manifest, MODEL_INT8).read_bytes())
        source = self.options.replay
        self._period = None if source is None else replay.read(source, self.manifest)

    def lines(self) -> View:
        return HelloLines(self.board.name).showing(self._model)

    def live(self, draw: Draw) -> View:
        return HelloLive(self.board, draw).showing(self._model)

    def begin(self, link: Link, ready: Ready) -> None:
        link.reset()  # whatever the host asked for before, the board is to breathe
        link.take_events()

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        assert self._period is not None
        yield replay.play(link, self._period, self.run, self.manifest, show)

    def drive(self, link: Link, show: OnEvent, stop_at: float | None) -> None:
        """A virtual board's clock stands still while nothing is asked of it: asks for each point in time."""
        due_s = time.monotonic()
        while stop_at is None or due_s < stop_at:
            link.advance(1)
            for event in link.take_events():
                show(event)
            due_s += self._settings.point_ms / 1000
            time.sleep(max(0.0, due_s - time.monotonic()))

    def take(self, event: Event) -> bool:
        self.summary.detections += isinstance(event, Wave) and event.point == self._settings.points - 1
        return True
