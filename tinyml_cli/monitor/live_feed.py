"""A virtual board hears and sees by this computer's microphone and camera."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.resample import resampled
from tinyml_cli.features.image import pack_frame
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, Event
from tinyml_cli.senses.microphone import BLOCK_S, Microphone
from tinyml_cli.senses.webcam import Webcam

OnEvent = Callable[[Event], None]
Ended = Callable[[], bool]


class Eye(Protocol):
    """What looks between two pieces of sound."""

    def event(self, event: Event) -> None:
        """Takes what the board says."""

    def look(self) -> None:
        """Shows the board what the camera sees, where it wants to look."""


@dataclass
class Heard:
    """What became of a microphone's sound.

    Attributes:
        on_loss: told the first time.
        blocks: of 50 ms that came.
        lost: how many times samples were lost before a block, as the board or this computer was too slow.
    """

    on_loss: Callable[[], None] = lambda: None
    blocks: int = 0
    lost: int = 0

    def count(self, lost: bool) -> None:
        """Takes note of a block."""
        self.blocks += 1
        self.lost += lost
        if lost and self.lost == 1:
            self.on_loss()


@dataclass
class FramesSeen:
    """What became of a camera's frames: how many the board looked at, in how many seconds."""

    frames: int = 0
    seconds: float = 0.0


def hear(
    link: Link,
    microphone: Microphone,
    rate_hz: int,
    show: OnEvent,
    ended: Ended,
    heard: Heard,
    eye: Eye | None = None,
) -> None:
    """Feeds a board what a microphone hears, until the end or Ctrl-C.

    Args:
        link: an open device.
        microphone: at whatever rate.
        rate_hz: the model's.
        show: told every event as it comes.
        ended: whether to stop; asked every 50 ms.
        heard: counts, also where this ends early.
        eye: takes the events in place of `show`, and looks after each block.

    Raises:
        TinymlError: the microphone or the board breaks.
    """
    take = eye.event if eye else show
    with contextlib.closing(_blocks(microphone, heard)) as blocks:
        for piece in resampled(blocks, microphone.rate_hz, rate_hz, round(BLOCK_S * microphone.rate_hz)):
            samples = to_int16(piece)
            for at in range(0, len(samples), MAX_PCM_SAMPLES):
                link.feed_pcm(samples[at : at + MAX_PCM_SAMPLES])
                _tell(link, take)
            if eye is not None:
                eye.look()
            if ended():
                return


def look(
    link: Link, camera: Webcam, image: ImageInput, show: OnEvent, ended: Ended, seen: FramesSeen
) -> None:
    """Shows a board what a camera sees, frame by frame; arguments and errors as of `hear`."""
    started = time.monotonic()
    while not ended():
        show_frame(link, camera, image, show)
        seen.frames += 1
        seen.seconds = time.monotonic() - started


def show_frame(link: Link, camera: Webcam, image: ImageInput, show: OnEvent) -> None:
    """Shows a board what a camera sees now; arguments and errors as of `hear`."""
    link.feed_frame(pack_frame(camera.take(), image.frame_width, image.frame_height, image.frame_format))
    _tell(link, show)


def _blocks(microphone: Microphone, heard: Heard) -> Generator[NDArray[np.float32]]:
    with contextlib.closing(microphone.blocks()) as blocks:
        for block, lost in blocks:
            heard.count(lost)
            yield block.astype(np.float32) / np.float32(32768)


def _tell(link: Link, show: OnEvent) -> None:
    for event in link.take_events():
        show(event)
