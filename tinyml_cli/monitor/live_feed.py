"""A virtual board hears and sees by this computer's microphone and camera."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

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


@dataclass
class Heard:
    """What became of a microphone's sound.

    Attributes:
        blocks: of 50 ms that came.
        lost: how many times samples were lost before a block, as the board or this computer was too slow.
    """

    blocks: int = 0
    lost: int = 0


def hear(
    link: Link, microphone: Microphone, rate_hz: int, show: OnEvent, stop_at: float | None, heard: Heard
) -> None:
    """Feeds a board what a microphone hears, until `stop_at` or Ctrl-C.

    Args:
        link: an open device.
        microphone: at whatever rate.
        rate_hz: the model's.
        show: told every event as it comes.
        stop_at: `time.monotonic()` to stop at; None: never.
        heard: counts, also where this ends early.

    Raises:
        TinymlError: the microphone or the board breaks.
    """
    with contextlib.closing(_blocks(microphone, heard)) as blocks:
        for piece in resampled(blocks, microphone.rate_hz, rate_hz, round(BLOCK_S * microphone.rate_hz)):
            samples = to_int16(piece)
            for at in range(0, len(samples), MAX_PCM_SAMPLES):
                link.feed_pcm(samples[at : at + MAX_PCM_SAMPLES])
                _tell(link, show)
            if stop_at is not None and time.monotonic() >= stop_at:
                return


def look(link: Link, camera: Webcam, image: ImageInput, show: OnEvent, stop_at: float | None) -> None:
    """Shows a board what a camera sees, frame by frame; arguments and errors as of `hear`."""
    while stop_at is None or time.monotonic() < stop_at:
        frame = pack_frame(camera.take(), image.frame_width, image.frame_height, image.frame_format)
        link.feed_frame(frame)
        _tell(link, show)


def _blocks(microphone: Microphone, heard: Heard) -> Generator[NDArray[np.float32]]:
    with contextlib.closing(microphone.blocks()) as blocks:
        for block, lost in blocks:
            heard.blocks += 1
            heard.lost += lost
            yield block.astype(np.float32) / np.float32(32768)


def _tell(link: Link, show: OnEvent) -> None:
    for event in link.take_events():
        show(event)
