"""Watches a board that looks for anomalies, or feeds it recordings; calibrates it on the spot."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_cli.console import console
from tinyml_cli.data.anomaly.pool import Recording
from tinyml_cli.device.anomaly_replay import replay, takes
from tinyml_cli.device.anomaly_view import AnomalyLines, AnomalyLive, AnomalySummary, History
from tinyml_cli.device.boards import load_board
from tinyml_cli.device.connect import check_firmware, open_board
from tinyml_cli.device.filters import Filter
from tinyml_cli.device.link import Link, Reconnected
from tinyml_cli.device.protocol import Anomaly, Calibrated, Event, Ready
from tinyml_cli.device.views import JsonView, View
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.anomaly.alarm import CALIBRATION_SCORES, windows_needed
from tinyml_cli.evaluation.anomaly.windows import WindowInput
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run

if TYPE_CHECKING:
    from tinyml_cli.device.monitor import MonitorOptions

_PICTURE = "scores.png"
# A board's clock may go slower than this computer's, and its windows end when they end.
_SLACK_S = 30.0


def watch(
    run: Run,
    manifest: Manifest,
    board: str,
    port: str | None,
    options: MonitorOptions,
    filters: Sequence[Filter],
) -> dict[str, Any]:
    """Shows a board's scores until Ctrl-C, the end of the replay or of the duration.

    Args: as of `monitor.monitor`; `options.png` is a picture of score and threshold, drawn at the end.

    Returns:
        The summary event, with the fields of `AnomalySummary`.

    Raises:
        TinymlError: as of `monitor.monitor`.
    """
    played = [] if options.replay is None else takes(run, manifest, options.replay)
    if options.calibrate_s and not played and port is None and load_board(board).kind != "usb":
        raise TinymlError(
            "A virtual board has no sensor, so it cannot calibrate on live data",
            "--calibrate",
            "Feed it a recording: add --replay FILE or DIR.",
        )
    history = History()
    with _view(board, history, options.as_json) as view:
        session = _Session(manifest, view, filters, history)
        started_s = time.monotonic()
        with contextlib.suppress(KeyboardInterrupt), open_board(run, board, port, _tell_lost) as link:
            session.listen(link, board, options, played, started_s)
        session.summary.seconds = round(time.monotonic() - started_s, 2)
        view.end(session.summary)
    if options.png is not None:
        history.png(_picture_path(options.png), run.path.resolve().name)
    return session.summary.as_dict()


class _Session:
    def __init__(self, manifest: Manifest, view: View, filters: Sequence[Filter], history: History) -> None:
        self.summary = AnomalySummary()
        self._manifest = manifest
        self._view = view
        self._filters = filters
        self._history = history
        self._was_on = False

    def listen(
        self,
        link: Link,
        board: str,
        options: MonitorOptions,
        played: list[Recording],
        started_s: float,
    ) -> None:
        ready = link.wait_ready()
        check_firmware(ready, self._manifest, board)
        self._view.start(ready)
        stop_at = None if options.duration_s is None else started_s + options.duration_s
        if options.trace:
            link.trace(*options.trace)
        if options.calibrate_s is not None:
            self._calibrate(link, options.calibrate_s)
        if played:
            go_on = options.calibrate_s is None
            for clip in replay(link, played, self._manifest, self._show, stop_at, reset=go_on):
                self.summary.count(clip["expected"], clip["detected"])
                self._view.clip(clip)
            return
        if load_board(board).kind != "usb":
            console.warn("a virtual board has no sensor; feed it with --replay FILE or DIR")
        remaining_s = None if stop_at is None else max(0.0, stop_at - time.monotonic())
        if options.calibrate_s and remaining_s is None:
            remaining_s = options.calibrate_s + _SLACK_S
        for event in link.events(remaining_s):
            self._show(event)
            if isinstance(event, Calibrated):
                return
            if isinstance(event, Ready | Reconnected) and options.trace:
                link.trace(*options.trace)
        if options.calibrate_s and stop_at is None:
            raise TinymlError(
                f"The board did not finish its calibration of {options.calibrate_s} s",
                link.url,
                "Reset it and try again; tinyml doctor --board BOARD checks its sensors.",
            )

    def _calibrate(self, link: Link, seconds: int) -> None:
        settings = self._manifest.anomaly
        assert settings is not None and settings.threshold is not None
        window_s = WindowInput.of(self._manifest).window_s
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

    def _show(self, event: Event) -> None:
        if isinstance(event, Anomaly):
            self._history.events.append(event)
            self.summary.windows += 1
            self.summary.above += event.score >= event.threshold
            self.summary.alarms += event.alarm and not self._was_on
            self.summary.drifting = event.drifting
            self._was_on = event.alarm
        for each in self._filters:
            passed = each.rx(event)
            if passed is None:
                return
            event = passed
        self._view.event(event)


@contextlib.contextmanager
def _view(board: str, history: History, as_json: bool) -> Iterator[View]:
    if as_json:
        yield JsonView()
    elif console.is_live:
        with console.live() as draw:
            yield AnomalyLive(board, history, draw)
    else:
        yield AnomalyLines(board)


def _picture_path(given: Path) -> Path:
    return given if given.suffix.lower() == ".png" else given / _PICTURE


def _tell_lost() -> None:
    console.warn("the port disappeared; waiting for it to return (Ctrl-C stops)")
