"""Plays sound to a board with a cascade of two models, and shows it images while the gate is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.images.image_file import UnreadableImageError, decode_image, read_bytes
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Gate
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws.replay import OnEvent, OnRecording, replay_dir
from tinyml_cli.tasks.vww.replay import judged, pictures, show_frames


class CameraScene:
    """What the camera would see: another image each time the gate opens, and the first after the last.

    Args:
        link: an open device.
        folder: images in folders named by labels, one such folder, or a file.
        looks: the run of the model that looks.
        on_event: told every event as it comes.

    Raises:
        TinymlError: no images there.
    """

    def __init__(self, link: Link, folder: Path, looks: Run, on_event: OnEvent) -> None:
        self._link = link
        self._folder = folder
        self._model = looks.path.resolve().name
        self._manifest: Manifest = looks.manifest()
        self._on_event = on_event
        self._paths = pictures(folder)
        self._shown = 0
        self._clips: list[PlayedClip] = []

    def event(self, event: Event) -> None:
        """Takes what the board says; when its gate opens, it is shown an image.

        Raises:
            TinymlError: the image cannot be read.
        """
        self._on_event(event)
        if isinstance(event, Gate) and event.open:
            self._show(self._paths[self._shown % len(self._paths)])
            self._shown += 1

    def take_clips(self) -> list[PlayedClip]:
        """What was seen since the last call, a `clip` for each image."""
        clips, self._clips = self._clips, []
        return clips

    def _show(self, path: Path) -> None:
        try:
            seen = show_frames(self._link, decode_image(read_bytes(path)), self._manifest, self._on_event)
        except UnreadableImageError as error:
            raise TinymlError(f"Cannot read it as an image: {error}", str(path), "Remove it.") from error
        clip = judged(path, self._folder, seen, self._manifest)
        self._clips.append(clip.model_copy(update={"model": self._model}))


def replay_cascade(
    link: Link,
    sounds: Path,
    scene: CameraScene,
    labels: list[str],
    sample_rate_hz: int,
    stop_at: float | None,
    on_recording: OnRecording,
) -> Iterator[PlayedClip]:
    """Plays every recording; images are shown where a word opens the gate.

    Args: as of `replay_dir`; scene: what the camera sees.

    Yields:
        A `clip` for each recording, and after it one for each image that was shown meanwhile, with `model`.

    Raises:
        TinymlError: as of `replay_dir` and `CameraScene.event`.
    """
    for clip in replay_dir(link, sounds, labels, sample_rate_hz, scene.event, stop_at, on_recording):
        yield clip
        yield from scene.take_clips()
