"""What the monitor of a keyword spotter shows, and how it plays recordings to the board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Audio, Detection, Event, Ready, TraceMode
from tinyml_cli.link.protocol.disclosure import SCORES, STATUS, Disclosed
from tinyml_cli.monitor.task_monitor import OnEvent, TaskMonitor
from tinyml_cli.monitor.views import Draw, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.kws.device_triggers import Triggers
from tinyml_cli.tasks.kws.live_view import SoundView
from tinyml_cli.tasks.kws.replay import recordings, replay_dir
from tinyml_cli.tasks.kws.triggers import check_folder


class SoundMonitor(TaskMonitor):
    """Words as they are reported; with --save-triggers, the sound that led to each."""

    sense = "microphone"
    live_traces = ("scores", "status")
    takes = frozenset({"save_triggers", "microphone"})
    sends: ClassVar[tuple[Disclosed, ...]] = (
        Disclosed("detection", "always", "a word, its score and the time"),
        SCORES,
        STATUS,
        Disclosed("features", "features", "spectra, from which speech can be made again", True),
        Disclosed("audio", "audio", "every sample of the microphone", True),
    )
    _triggers: Triggers | None = None

    def check(self) -> None:
        options = self.options
        if options.replay is not None:
            recordings(options.replay, tell=True)
        if options.save_triggers is None:
            return
        if options.replay is None and not self.target.is_usb and not options.microphone:
            raise TinymlError(
                "A virtual board has no microphone, so there is no audio to save",
                "--save-triggers",
                "Feed it a recording: add --replay FILE or DIR; or this computer's: --microphone.",
            )
        check_folder(options.save_triggers)

    @property
    def traces(self) -> tuple[TraceMode, ...]:
        return ("audio",) if self.options.save_triggers and self.options.replay is None else ()

    def live(self, draw: Draw) -> View:
        return SoundView(self.board, self.manifest, draw)

    def begin(self, link: Link, ready: Ready) -> None:
        if self.options.save_triggers is not None:
            self._triggers = Triggers(self.options.save_triggers, self.manifest.clip_ms, ready.sample_rate_hz)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        rate_hz = ready.sample_rate_hz
        return replay_dir(link, source, self.manifest.labels, rate_hz, show, stop_at, self._keep_recording)

    def take(self, event: Event) -> bool:
        self.summary.detections += isinstance(event, Detection)
        if self._triggers is not None:
            self._triggers.take(event)
        # Sound that was asked for only to keep what led to a report.
        return not isinstance(event, Audio) or "audio" in self.options.trace

    def _keep_recording(self, name: str, audio: NDArray[np.int16]) -> None:
        if self._triggers is not None:
            self._triggers.play(name, audio)
