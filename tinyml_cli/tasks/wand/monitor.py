"""What the monitor of a wand shows, and how the wand is moved through recorded motion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.features.gesture_settings import UNKNOWN
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Gesture, Ready
from tinyml_cli.link.protocol.disclosure import SCORES, STATUS, Disclosed
from tinyml_cli.monitor.task_monitor import OnEvent, TaskMonitor
from tinyml_cli.monitor.views import Draw, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.wand.replay import ReplayedMotion, motions, replay_motions
from tinyml_cli.tasks.wand.view import GestureLines, GestureView


class GestureMonitor(TaskMonitor):
    """Gestures as they are recognised, and the last stroke."""

    sense = "motion sensor"
    live_traces = ("scores", "status")
    sends = (
        Disclosed("gesture", "always", "a gesture, its score and the time"),
        Disclosed("stroke", "always", "the path of the wand's tip, over Bluetooth too", True),
        SCORES,
        STATUS,
        Disclosed("input", "features", "the picture of a stroke, or the window of motion", True),
    )
    _played: list[ReplayedMotion]

    def check(self) -> None:
        source = self.options.replay
        self._played = [] if source is None else motions(source, self.manifest)

    def lines(self) -> View:
        return GestureLines(self.board.name)

    def live(self, draw: Draw) -> View:
        return GestureView(self.board, draw)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        return replay_motions(link, self._played, self.manifest.labels, show, stop_at)

    def take(self, event: Event) -> bool:
        self.summary.detections += isinstance(event, Gesture) and event.label != UNKNOWN
        return True
