"""Listens to a board that runs a run's firmware, or feeds it recordings, and reports what it says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from tinyml_cli import registry
from tinyml_cli.build import tenants
from tinyml_cli.build.emulated import plugged_in
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.console import console
from tinyml_cli.emulator.board import EmulatedBoard
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link, Reconnected
from tinyml_cli.link.protocol import Event, Ready, TraceMode
from tinyml_cli.monitor import live_feed
from tinyml_cli.monitor.filters import EventLog, Filter, make_filters
from tinyml_cli.monitor.task_monitor import MonitorOptions, TaskMonitor
from tinyml_cli.monitor.views import JsonView, View
from tinyml_cli.outcomes.stages import Replayed
from tinyml_cli.run import Run
from tinyml_cli.senses.microphone import BLOCK_S, Microphone
from tinyml_cli.senses.webcam import Webcam
from tinyml_cli.wording import counted

_LOOK_S = 0.25


def monitor(run: Run, target: BuildTarget, options: MonitorOptions | None = None) -> Replayed:
    """Shows a board's events until Ctrl-C, the end of the replay or of the duration.

    Args:
        run: the run whose firmware the board has to run.
        target: the board, a virtual one is started for this; where it is; the model that shares it.

    Returns:
        The event `summary`, with what the task adds.

    Raises:
        TinymlError: no firmware, another model's firmware, no board, a silent one, unreadable recordings, an
            unknown filter, or a log that cannot be written.
    """
    task = _task_monitor(run, target, options or MonitorOptions())
    with contextlib.ExitStack() as stack:
        filters = [*task.filters, *make_filters(list(task.options.filters))]
        if task.options.log is not None:
            log = EventLog(task.options.log)
            stack.callback(log.close)
            filters.insert(0, log)
        view = stack.enter_context(_view(task))
        return _MonitorSession(task, view, filters).watch()


def _task_monitor(run: Run, target: BuildTarget, options: MonitorOptions) -> TaskMonitor:
    """The part of the run's task, or of two models that share the board."""
    manifest = run.manifest()
    task: TaskMonitor = registry.task(tenants.task_of(run, target)).monitor(run, manifest, target, options)
    return task


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
def _view(task: TaskMonitor) -> Iterator[View]:
    if task.options.as_json:
        yield JsonView()
    elif console.is_live:
        with console.live() as draw:
            yield task.live(draw)
    else:
        yield task.lines()


@dataclass
class _MonitorSession:
    """One board watched from start to end."""

    task: TaskMonitor
    view: View
    filters: list[Filter]
    started: bool = False
    is_over: bool = False
    _emulated: EmulatedBoard | None = None
    started_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.options = self.task.options
        self.summary = self.task.summary
        # Before the board starts: what is missing here is said at once.
        self._microphone = Microphone(self.options.device) if self.options.microphone else None
        both = self.options.microphone and self.options.camera
        self._camera = Webcam(None if both else self.options.device) if self.options.camera else None

    def watch(self) -> Replayed:
        try:
            with (
                plugged_in(self.task.run, self.task.target) as self._emulated,
                open_board(self.task.run, replace(self.task.target, emulated=None), _tell_lost) as link,
            ):
                self._listen(link)
        except KeyboardInterrupt:
            if self.options.replay is not None:
                self._end()
                raise
            # Without a replay this is how it ends; the summary follows.
        except TinymlError:
            if self.started:
                self._end()
            raise
        return self._end()

    def _listen(self, link: Link) -> None:
        ready = link.wait_ready()
        check_firmware(ready, self.task.manifest, self.task.board.name)
        self.started = True
        self.view.start(ready)
        self._trace(link)
        self.task.begin(link, ready)
        stop_at = None if self.options.duration_s is None else self.started_s + self.options.duration_s
        if self.options.replay is not None:
            for clip in self.task.replay(link, self.options.replay, ready, self._show, stop_at):
                self.summary.count(clip.expected, clip.detected)
                self.view.clip(clip)
            return
        if self._microphone or self._camera:
            self._perceive(link, ready, stop_at)
            return
        if not self.task.target.is_usb and not self.task.needs_feed:
            self.task.drive(link, self._show, stop_at)
            return
        if not self.task.target.is_usb:
            feeds = f"--replay FILE or DIR{self._live_hint()}"
            console.warn(f"a virtual board has no {self.task.sense}; feed it with {feeds}")
        self._wait(link, stop_at)

    def _live_hint(self) -> str:
        known = [name for name in ("microphone", "camera") if name in self.task.takes]
        return f", or by this computer's own: --{known[0]}" if known else ""

    def _perceive(self, link: Link, ready: Ready, stop_at: float | None) -> None:
        """Feeds a virtual board by this computer's microphone or camera, or by both."""
        remaining_s = self.task.remaining_s(None if stop_at is None else stop_at - time.monotonic())
        end_at = None if remaining_s is None else time.monotonic() + remaining_s

        def ended() -> bool:
            return self.is_over or (end_at is not None and time.monotonic() >= end_at)

        with contextlib.closing(self._camera) if self._camera else contextlib.nullcontext():
            if self._microphone is None:
                self._look(link, ready, ended)
            else:
                self._hear(link, ready, ended)
        if stop_at is None and not self.is_over:
            self.task.timed_out(link)

    def _look(self, link: Link, ready: Ready, ended: live_feed.Ended) -> None:
        assert self._camera is not None and self.task.manifest.image is not None
        console.info(f"{self._camera.name} is on; Ctrl-C ends.")
        seen = live_feed.FramesSeen()
        try:
            live_feed.look(link, self._camera, self.task.manifest.image, self._show, ended, seen)
        finally:
            rate_hz = seen.frames / seen.seconds if seen.seconds else 0.0
            of_those = f" of the camera's {self._camera.rate_hz:.0f}" if self._camera.rate_hz else ""
            console.info(f"`{ready.board}` looked at {rate_hz:.1f}{of_those} frames a second.")

    def _hear(self, link: Link, ready: Ready, ended: live_feed.Ended) -> None:
        assert self._microphone is not None
        camera = self._camera
        console.info(f"Listening to {self._microphone.name}; Ctrl-C ends.")
        eye = self.task.eye(link, camera, self._show) if camera else None
        slow = f"`{ready.board}` does not keep up with the microphone"
        heard = live_feed.Heard(on_loss=lambda: console.warn(f"{slow}: sound is lost"))
        try:
            rate_hz = ready.sample_rate_hz
            live_feed.hear(link, self._microphone, rate_hz, self._show, ended, heard, eye)
        finally:
            if heard.lost:
                lost = f"Sound was lost {counted(heard.lost, 'time')} in {heard.blocks * BLOCK_S:.1f} s"
                faster = "" if ready.board == "native" else " Use --board native, which is faster."
                console.warn(f"{lost}: {slow}.{faster}")

    def _wait(self, link: Link, stop_at: float | None) -> None:
        remaining_s = None if stop_at is None else max(0.0, stop_at - time.monotonic())
        for event in self._events(link, self.task.remaining_s(remaining_s)):
            self._show(event)
            if self.is_over:
                return
            if isinstance(event, Ready | Reconnected):
                self._trace(link)
        if stop_at is None:
            self.task.timed_out(link)

    def _events(self, link: Link, remaining_s: float | None) -> Iterator[Event]:
        """Until the time is up, the recordings of an emulated board are over, or for ever."""
        if remaining_s is not None or self._emulated is None or not self._emulated.plays:
            yield from link.events(remaining_s)
            return
        while not self._emulated.state().is_over:
            yield from link.events(_LOOK_S)

    def _trace(self, link: Link) -> None:
        """Asks for what the view wants; a board that has booted again has forgotten."""
        modes = tuple(self.options.trace)
        if not modes and console.is_live and not self.options.as_json:
            modes = self.task.live_traces
        modes = (*modes, *(mode for mode in self.task.traces if mode not in modes))
        if modes:
            link.trace(*modes)

    def _show(self, event: Event) -> None:
        self.is_over = self.is_over or self.task.is_over(event)
        if not self.task.take(event):
            return
        for each in self.filters:
            passed = each.rx(event)
            if passed is None:
                return
            event = passed
        self.view.event(event)

    def _end(self) -> Replayed:
        self.summary.seconds = round(time.monotonic() - self.started_s, 2)
        self.view.end(self.summary)
        self.task.end()
        return self.summary.outcome()
