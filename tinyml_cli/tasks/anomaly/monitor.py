"""What the monitor of a machine shows, how it feeds recordings to the board, and calibration on the spot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Anomaly, Calibrated, Event, Ready
from tinyml_cli.link.protocol.disclosure import STATUS, Disclosed
from tinyml_cli.monitor.task_monitor import OnEvent, TaskMonitor
from tinyml_cli.monitor.views import Draw, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.anomaly.alarm import CALIBRATION_SCORES, windows_needed
from tinyml_cli.tasks.anomaly.pool import MachineRecording
from tinyml_cli.tasks.anomaly.replay import read_as_trained, replay
from tinyml_cli.tasks.anomaly.view import AnomalyLines, AnomalyLive, AnomalySummary, History
from tinyml_cli.tasks.anomaly.windows import WindowInput

_PICTURE = "scores.png"
# A board's clock may go slower than this computer's, and its windows end when they end.
_SLACK_S = 30.0


class AnomalyMonitor(TaskMonitor):
    """Scores against their threshold; with --png, a picture of them at the end."""

    takes = frozenset({"png", "calibrate_s", "microphone"})
    sends = (
        Disclosed("anomaly", "always", "how far each window is from normal, and whether that is an alarm"),
        Disclosed("calibrated", "always", "a threshold that was measured on the device"),
        STATUS,
        Disclosed("features", "features", "the features of each window", True),
    )
    _played: list[MachineRecording]
    _was_on = False

    def check(self) -> None:
        options = self.options
        self.summary: AnomalySummary = AnomalySummary()
        self._history = History()
        self._played = []
        if options.replay is not None:
            found = read_as_trained(self.run, self.manifest, options.replay)
            self._played = list(found.recordings)
        is_fed = self._played or options.microphone or self.target.port is not None or self.target.is_usb
        if options.calibrate_s and not is_fed:
            raise TinymlError(
                "A virtual board has no sensor, so it cannot calibrate on live data",
                "--calibrate",
                "Feed it a recording: add --replay FILE or DIR; or sound of this computer's: --microphone.",
            )

    def lines(self) -> View:
        return AnomalyLines(self.board.name)

    def live(self, draw: Draw) -> View:
        return AnomalyLive(self.board, self._history, draw)

    def begin(self, link: Link, ready: Ready) -> None:
        if self.options.calibrate_s is not None:
            self._calibrate(link, self.options.calibrate_s)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        reset = self.options.calibrate_s is None
        return replay(link, self._played, self.manifest, show, stop_at, reset=reset)

    def remaining_s(self, remaining_s: float | None) -> float | None:
        if self.options.calibrate_s and remaining_s is None:
            return self.options.calibrate_s + _SLACK_S
        return remaining_s

    def take(self, event: Event) -> bool:
        if isinstance(event, Anomaly):
            self._history.events.append(event)
            self.summary.windows += 1
            self.summary.above += event.score >= event.threshold
            self.summary.alarms += event.alarm and not self._was_on
            self.summary.drifting = event.drifting
            self._was_on = event.alarm
        return True

    def is_over(self, event: Event) -> bool:
        return isinstance(event, Calibrated)

    def timed_out(self, link: Link) -> None:
        if self.options.calibrate_s:
            raise TinymlError(
                f"The board did not finish its calibration of {self.options.calibrate_s} s",
                link.url,
                "Reset it and try again; tinyml doctor --board BOARD checks its sensors.",
            )

    def end(self) -> None:
        path = self.options.png
        if path is not None:
            picture = path if path.suffix.lower() == ".png" else path / _PICTURE
            self._history.png(picture, self.run.path.resolve().name)

    def _calibrate(self, link: Link, seconds: int) -> None:
        settings = self.manifest.anomaly
        assert settings is not None and settings.threshold is not None
        window_s = WindowInput.of(self.manifest).window_s
        needed_s = math.ceil(windows_needed(settings.threshold.share_ppm) * window_s + 1)
        most_s = math.floor(CALIBRATION_SCORES * 1_000_000 / settings.threshold.share_ppm * window_s)
        if seconds and not needed_s <= seconds <= most_s:
            raise TinymlError(
                f"{seconds} s are too short to show a false-alarm share of "
                f"{settings.threshold.share_ppm / 1e6:g}",
                "--calibrate",
                f"Use {needed_s} to {most_s} seconds of normal running; 0 restores the trained threshold.",
            )
        link.calibrate(seconds)
