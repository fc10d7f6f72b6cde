"""Two models on one board: the second looks when the first has heard a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.build.cascade import APP
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Person, Ready
from tinyml_cli.link.protocol.disclosure import Disclosed
from tinyml_cli.monitor.live_feed import Eye
from tinyml_cli.monitor.task_monitor import OnEvent
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.senses.webcam import Webcam
from tinyml_cli.tasks.cascade.gated_camera import GatedCamera
from tinyml_cli.tasks.cascade.replay import CameraScene, replay_cascade
from tinyml_cli.tasks.kws.monitor import SoundMonitor
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tasks.vww.monitor import ImageMonitor


class CascadeMonitor(SoundMonitor):
    """As of sound; where the gate opens, the camera is shown an image of --frames, or what --camera sees."""

    takes = SoundMonitor.takes | {"frames", "camera"}
    sends = (
        *SoundMonitor.sends,
        Disclosed("gate", "always", "that a word opened the gate, and when"),
        *(each for each in ImageMonitor.sends if each not in SoundMonitor.sends),
    )

    def check(self) -> None:
        super().check()
        if self.options.frames is not None and self.options.replay is None:
            raise TinymlError(
                "--frames needs a board that listens for a word before it looks",
                "--frames",
                "Add --replay SOUND.",
            )

        if self.options.camera and not self.options.microphone:
            raise TinymlError(
                "This board listens for a word before it looks", "--camera", "Add --microphone."
            )

    def eye(self, link: Link, camera: Webcam, show: OnEvent) -> Eye:
        assert self.target.second is not None
        image = self.target.second.manifest().image
        assert image is not None
        return GatedCamera(link, camera, image, show)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        if self.options.frames is None or self.target.second is None:
            return super().replay(link, source, ready, show, stop_at)
        scene = CameraScene(link, self.options.frames, self.target.second, show)
        labels, rate_hz = self.manifest.labels, ready.sample_rate_hz
        return replay_cascade(link, source, scene, labels, rate_hz, stop_at, self._keep_recording)

    def take(self, event: Event) -> bool:
        self.summary.detections += isinstance(event, Person) and event.present
        return super().take(event)


class Cascade(TaskSpec):
    """What a board does that holds two runs; each of them is trained and judged by its own task."""

    name = "cascade"
    firmware_app = APP
    peripherals = ("camera",)
    monitor = CascadeMonitor


CASCADE = Cascade()
