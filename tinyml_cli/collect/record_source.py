"""Sources of takes: the computer's microphone, a board's, or a long recording."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.resample import resample
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, Audio, Ready
from tinyml_cli.senses.microphone import BLOCK_S, Microphone

Samples = NDArray[np.int16]

# How long a board may stay silent although it was asked for sound.
_SILENT_BOARD_S = 3.0


class AudioSource(Protocol):
    """Gives takes, one after another. Use it as a context manager."""

    name: str
    sample_rate_hz: int

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def record(self, seconds: float, on_block: Callable[[Samples], None]) -> Samples:
        """The next `seconds` of sound, int16 [n].

        Args:
            seconds: length of the take.
            on_block: is told of each piece as it arrives, for a level meter.

        Raises:
            TinymlError: the source ended or broke.
        """
        ...


class _AlwaysOpen:
    """What sources share: nothing to open or close."""

    name = ""
    sample_rate_hz = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class WavSource(_AlwaysOpen):
    """A recording on disk, played take by take.

    Args:
        path: any audio file.
        sample_rate_hz: of the takes.

    Raises:
        TinymlError: the file cannot be read.
    """

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        self.name = path.name
        self.sample_rate_hz = sample_rate_hz
        try:
            self._audio = read_audio(path, sample_rate_hz)
        except UnreadableAudioError as error:
            raise TinymlError(
                f"Cannot read the recording: {error}", str(path), "Give a WAV, FLAC or OGG file."
            ) from error
        self._position = 0

    @property
    def seconds(self) -> float:
        """Length of the whole recording."""
        return len(self._audio) / self.sample_rate_hz

    def record(self, seconds: float, on_block: Callable[[Samples], None]) -> Samples:
        """As of AudioSource; the last take may be shorter."""
        count = round(seconds * self.sample_rate_hz)
        take = self._audio[self._position : self._position + count]
        if len(take) == 0:
            raise TinymlError("The recording has ended", self.name, "The clips so far are kept.")
        self._position += count
        step = max(1, round(BLOCK_S * self.sample_rate_hz))
        for start in range(0, len(take), step):
            on_block(take[start : start + step])
        return take


class MicrophoneSource(_AlwaysOpen):
    """This computer's microphone, opened for each take and resampled.

    Args:
        sample_rate_hz: of the takes.
        device: see `Microphone`.

    Raises:
        TinymlError: see `Microphone`.
    """

    def __init__(self, sample_rate_hz: int, device: str | None = None) -> None:
        self._microphone = Microphone(device)
        self.sample_rate_hz = sample_rate_hz
        self.name = self._microphone.name

    def record(self, seconds: float, on_block: Callable[[Samples], None]) -> Samples:
        """As of AudioSource."""
        rate_hz = self._microphone.rate_hz
        wanted = round(seconds * rate_hz)
        pieces: list[Samples] = []
        with contextlib.closing(self._microphone.blocks()) as blocks:
            for block, lost in blocks:
                if lost:
                    raise TinymlError(
                        "This computer could not keep up with the microphone: samples were lost",
                        self.name,
                        "Close other programs and record the word again.",
                    )
                pieces.append(block)
                on_block(block)
                if sum(map(len, pieces)) >= wanted:
                    break
        take = np.concatenate(pieces)[:wanted]
        return to_int16(resample(take / np.float32(32768), rate_hz, self.sample_rate_hz))


class BoardSource(_AlwaysOpen):
    """The microphone of a board that runs keyword-spotting firmware.

    Args:
        link: an open link.
        ready: the board's banner.
        feed: sound to play into a board without a microphone, as the virtual ones are.

    Raises:
        TinymlError: other firmware, or nothing to hear with.
    """

    def __init__(self, link: Link, ready: Ready, feed: WavSource | None = None) -> None:
        if ready.app != "kws" or not ready.sample_rate_hz:
            raise TinymlError(
                f"The board runs the application `{ready.app}`, which does not use a microphone",
                link.url,
                "Flash firmware for keyword spotting: tinyml flash --board BOARD",
            )
        if feed is None and "microphone" not in ready.sensors:
            raise TinymlError("The board has no microphone", link.url, "Feed it a recording: --from-wav FILE")
        self._link = link
        self._feed = feed
        self.name = f"microphone of {ready.board}" if feed is None else f"{feed.name} through {ready.board}"
        self.sample_rate_hz = ready.sample_rate_hz

    def record(self, seconds: float, on_block: Callable[[Samples], None]) -> Samples:
        """As of AudioSource."""
        wanted = round(seconds * self.sample_rate_hz)
        self._link.reset()
        self._link.trace("audio")
        try:
            if self._feed is not None:
                return self._collect(self._played(self._feed, seconds), wanted, on_block)
            return self._collect(self._link.events(seconds + _SILENT_BOARD_S), wanted, on_block)
        finally:
            self._link.trace("off")
            self._link.take_events()

    def _played(self, feed: WavSource, seconds: float) -> Iterator[object]:
        take = feed.record(seconds, lambda _: None)
        for start in range(0, len(take), MAX_PCM_SAMPLES):
            self._link.feed_pcm(take[start : start + MAX_PCM_SAMPLES])
            yield from self._link.take_events()

    def _collect(self, events: Iterator[object], wanted: int, on_block: Callable[[Samples], None]) -> Samples:
        pieces: list[Samples] = []
        first = expected = overruns = -1
        deadline = time.monotonic() + _SILENT_BOARD_S
        for event in events:
            if isinstance(event, Audio):
                if first < 0:
                    first = expected = event.sample
                    overruns = event.overruns
                if event.sample != expected or event.overruns != overruns:
                    raise TinymlError(
                        "Samples were lost between the board's microphone and this computer",
                        self._link.url,
                        "Record the word again; if it happens often, use another cable or USB port.",
                    )
                pieces.append(np.frombuffer(event.data[: len(event.data) // 2 * 2], "<i2").astype(np.int16))
                expected += len(pieces[-1])
                on_block(pieces[-1])
                deadline = time.monotonic() + _SILENT_BOARD_S
            if expected - first >= wanted:
                break
            if time.monotonic() > deadline:
                raise TinymlError("The board sends no sound", self._link.url, "Reset it and try again.")
        if not pieces or (self._feed is None and expected - first < wanted):
            raise TinymlError("The board sends no sound", self._link.url, "Flash it again: tinyml flash")
        return np.concatenate(pieces)[:wanted]
