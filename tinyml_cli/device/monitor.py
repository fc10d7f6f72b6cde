"""Monitors a board that runs a run's firmware, or plays recordings to it, and reports its events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.data.triggers import check_folder
from tinyml_cli.device import tenants
from tinyml_cli.device.boards import load_board
from tinyml_cli.device.connect import check_firmware, open_board
from tinyml_cli.device.filters import Filter, Log, make_filters
from tinyml_cli.device.image_replay import pictures, replay_images
from tinyml_cli.device.link import Link, Reconnected
from tinyml_cli.device.protocol import Audio, Detection, Event, Gesture, Person, Ready, TraceMode
from tinyml_cli.device.replay import recordings, replay_dir
from tinyml_cli.device.tally import Summary
from tinyml_cli.device.triggers import Triggers
from tinyml_cli.device.views import JsonView, LineView, View
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run

_LIVE_TRACES: tuple[TraceMode, ...] = ("scores", "status")
_FRAME_TRACES: tuple[TraceMode, ...] = ("features", "status")


@dataclass(frozen=True)
class MonitorOptions:
    """What to show and for how long.

    Attributes:
        replay: an audio file or folder that the board shall hear.
        duration_s: when to stop; None: not by time.
        as_json: one JSON event a line on stdout, instead of text for people.
        log: a file that every event is appended to, one JSON object a line.
        filters: names of filters, in order.
        trace: what the board shall report besides detections.
        app: the firmware application that a virtual board boots; None takes the task's own.
        png: a folder for every frame that the board looks at; a picture of the scores of anomalies.
        calibrate_s: seconds of normal running from which a board finds its threshold anew.
        other: the run of the second model on the board.
        frames: images that a cascade's camera sees, each time its gate opens.
        save_triggers: a new folder for the sound that made the board fire; a real board passes on what its
            microphone hears.
    """

    replay: Path | None = None
    duration_s: float | None = None
    as_json: bool = False
    log: Path | None = None
    filters: Sequence[str] = ()
    trace: Sequence[TraceMode] = ()
    save_triggers: Path | None = None
    app: str | None = None
    png: Path | None = None
    calibrate_s: int | None = None
    other: Run | None = None
    frames: Path | None = None


def monitor(
    run: Run, board: str, port: str | None = None, options: MonitorOptions = MonitorOptions()
) -> dict[str, Any]:
    """Shows a board's events until Ctrl-C, the end of the replay or of the duration.

    Args:
        run: the run whose firmware the board has to run.
        board: name of a board; a virtual one is started for this.
        port: where to find it: a port name or pyserial URL; None starts or looks for it.

    Returns:
        The summary event: n, hits, misses, false_accepts, rejections, detections, seconds.

    Raises:
        TinymlError: no firmware, another model's firmware, no board, a silent one, unreadable recordings, an
            unknown filter, or a log that cannot be written.
    """
    manifest = run.manifest()
    if options.replay is not None and manifest.anomaly is None and manifest.gesture is None:
        (pictures if manifest.image else recordings)(options.replay, tell=True)
    _check_options(options, manifest)
    _check_triggers(options, board)
    with contextlib.ExitStack() as stack:
        filters = make_filters(list(options.filters))
        if options.log is not None:
            log = Log(options.log)
            stack.callback(log.close)
            filters.insert(0, log)
        if manifest.anomaly is not None:
            from tinyml_cli.device.anomaly_monitor import watch

            return watch(run, manifest, board, port, options, filters)
        if options.png is not None:
            filters.insert(0, _frame_files(options.png, manifest))
        view = stack.enter_context(_view(board, manifest, options))
        return _Session(run, manifest, board, port, options, view, filters).watch()


def _frame_files(folder: Path, manifest: Manifest) -> Filter:
    if manifest.image is None:
        raise TinymlError("The model does not look at images", "--png", "Omit it, or monitor a run of `vww`.")
    from tinyml_cli.device.frames import FrameFiles

    return FrameFiles(folder, manifest)


def _check_options(options: MonitorOptions, manifest: Manifest) -> None:
    looks = options.other is not None and options.other.manifest().image is not None
    if options.frames is not None and not (options.replay and looks and manifest.features):
        raise TinymlError(
            "--frames needs a board that listens for a word before it looks",
            "--frames",
            "Add --with VWW_RUN and --replay SOUND; for a single image model, give the images to --replay.",
        )
    if options.calibrate_s is not None and manifest.anomaly is None:
        raise TinymlError(
            f"A run of `{manifest.task}` has no anomaly threshold",
            "--calibrate",
            "Omit it, or monitor a run of `anomaly`.",
        )
    if options.save_triggers is not None and (manifest.image or manifest.gesture or manifest.anomaly):
        raise TinymlError(
            f"A run of `{manifest.task}` detects no words, so there is no audio to save",
            "--save-triggers",
            "Omit it, or monitor a run of `kws`; --log FILE keeps every event.",
        )


def _check_triggers(options: MonitorOptions, board: str) -> None:
    if options.save_triggers is None:
        return
    if options.replay is None and load_board(board).kind != "usb":
        raise TinymlError(
            "A virtual board has no microphone, so there is no audio to save",
            "--save-triggers",
            "Feed it a recording: add --replay FILE or DIR.",
        )
    check_folder(options.save_triggers)


def trace_modes(names: Sequence[str]) -> tuple[TraceMode, ...]:
    """Checks the names of what a board can report besides detections.

    Raises:
        TinymlError: there is no such report; the known ones are named.
    """
    known: tuple[TraceMode, ...] = get_args(TraceMode)
    for name in names:
        if name not in known:
            raise TinymlError(f"Unknown trace `{name}`", "--trace", f"Traces: {', '.join(known)}.")
    return tuple(mode for mode in known if mode in names)


def _tell_lost() -> None:
    console.warn("the port disappeared; waiting for it to return (Ctrl-C stops)")


@contextlib.contextmanager
def _view(board: str, manifest: Manifest, options: MonitorOptions) -> Iterator[View]:
    if options.as_json:
        yield JsonView()
    elif console.is_live:
        from tinyml_cli.device.frame_view import FrameView
        from tinyml_cli.device.gesture_view import GestureView
        from tinyml_cli.device.live_view import LiveView

        with console.live() as draw:
            target = load_board(board)
            if manifest.gesture is not None:
                yield GestureView(board, draw)
            elif manifest.image is not None:
                yield FrameView(target, manifest, draw)
            else:
                yield LiveView(target, manifest, draw)
    elif manifest.image is not None:
        from tinyml_cli.device.frame_view import FrameLines

        yield FrameLines(board)
    elif manifest.gesture is not None:
        from tinyml_cli.device.gesture_view import GestureLines

        yield GestureLines(board)
    else:
        yield LineView(board)


@dataclass
class _Session:
    """One board watched from start to end."""

    run: Run
    manifest: Manifest
    board: str
    port: str | None
    options: MonitorOptions
    view: View
    filters: list[Filter]
    summary: Summary = field(default_factory=Summary)
    started: bool = False
    triggers: Triggers | None = None

    def watch(self) -> dict[str, Any]:
        start_s = time.monotonic()
        try:
            with open_board(self.run, self.board, self.port, _tell_lost, self._app()) as link:
                self._listen(link, start_s)
        except KeyboardInterrupt:
            if self.options.replay is not None:
                self._end(start_s)
                raise
            # Without a replay this is how it ends; the summary follows.
        except TinymlError:
            if self.started:
                self._end(start_s)
            raise
        return self._end(start_s)

    def _app(self) -> str | None:
        if self.options.app is None and self.options.other is not None:
            return tenants.app_of(self.options.other)
        return self.options.app

    def _listen(self, link: Link, start_s: float) -> None:
        ready = link.wait_ready()
        check_firmware(ready, self.manifest, self.board)
        self.started = True
        self.view.start(ready)
        if self.options.save_triggers is not None:
            self.triggers = Triggers(self.options.save_triggers, self.manifest.clip_ms, ready.sample_rate_hz)
        self._trace(link)
        stop_at = None if self.options.duration_s is None else start_s + self.options.duration_s
        if self.options.replay is not None:
            for clip in self._replay(link, self.options.replay, ready.sample_rate_hz, stop_at):
                self.summary.count(clip["expected"], clip["detected"])
                self.view.clip(clip)
            return
        if load_board(self.board).kind != "usb":
            console.warn(f"a virtual board has no {self._sense()}; feed it with --replay FILE or DIR")
        remaining_s = None if stop_at is None else max(0.0, stop_at - time.monotonic())
        for event in link.events(remaining_s):
            self._show(event)
            if isinstance(event, Ready | Reconnected):
                self._trace(link)

    def _replay(
        self, link: Link, source: Path, sample_rate_hz: int, stop_at: float | None
    ) -> Iterator[dict[str, Any]]:
        if self.manifest.image is not None:
            return replay_images(link, source, self.manifest, self._show, stop_at)
        if self.manifest.gesture is not None:
            from tinyml_cli.device.gesture_replay import motions, replay_motions

            played = motions(source, self.manifest)
            return replay_motions(link, played, self.manifest.labels, self._show, stop_at)
        labels, other = self.manifest.labels, self.options.other
        if self.options.frames is not None and other is not None:
            from tinyml_cli.device.cascade_replay import Scene, replay_cascade

            scene = Scene(link, self.options.frames, other, self._show)
            return replay_cascade(link, source, scene, labels, sample_rate_hz, stop_at, self._keep_recording)
        return replay_dir(link, source, labels, sample_rate_hz, self._show, stop_at, self._keep_recording)

    def _sense(self) -> str:
        if self.manifest.gesture is not None:
            return "motion sensor"
        return "camera" if self.manifest.image else "microphone"

    def _trace(self, link: Link) -> None:
        """Asks for what the view wants; a board that has booted again has forgotten."""
        modes = tuple(self.options.trace)
        if not modes and console.is_live and not self.options.as_json:
            modes = _FRAME_TRACES if self.manifest.image else _LIVE_TRACES
        if self.options.png is not None and "features" not in modes:
            modes = (*modes, "features")
        if self.triggers is not None and self.options.replay is None and "audio" not in modes:
            modes = (*modes, "audio")
        if modes:
            link.trace(*modes)

    def _keep_recording(self, name: str, audio: NDArray[np.int16]) -> None:
        if self.triggers is not None:
            self.triggers.play(name, audio)

    def _show(self, event: Event) -> None:
        self.summary.detections += (
            isinstance(event, Detection)
            or (isinstance(event, Person) and event.present)
            or (isinstance(event, Gesture) and event.label != UNKNOWN)
        )
        if self.triggers is not None:
            self.triggers.take(event)
        if isinstance(event, Audio) and "audio" not in self.options.trace:
            return  # asked for to keep the triggers
        for each in self.filters:
            passed = each.rx(event)
            if passed is None:
                return
            event = passed
        self.view.event(event)

    def _end(self, start_s: float) -> dict[str, Any]:
        self.summary.seconds = round(time.monotonic() - start_s, 2)
        self.view.end(self.summary)
        return self.summary.as_dict()
