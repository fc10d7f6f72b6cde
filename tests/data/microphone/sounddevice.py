"""Stands in for the package `sounddevice` where there is no sound hardware: the microphone is a WAV file.

Only what `tinyml data record words` calls, with the signatures of sounddevice 0.5. FAKE_MICROPHONE
names the file; "none" is a computer without a microphone. By default it waits for its reader; with
FAKE_MICROPHONE_BUFFER_MS it plays in real time, and what its reader leaves for longer than that is lost.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import soundfile


class PortAudioError(Exception):
    """As the real one."""


_position = 0


def query_devices(device: int | str | None = None, kind: str | None = None) -> dict[str, Any]:
    """The one input there is."""
    if os.environ["FAKE_MICROPHONE"] == "none":
        raise PortAudioError("Error querying device -1")
    assert kind == "input"
    return {"name": "Test Microphone", "default_samplerate": float(soundfile.info(_path()).samplerate)}


class InputStream:
    """Plays the file, from where the last stream stopped."""

    def __init__(self, *, samplerate: float, device: int | str | None, channels: int, dtype: str) -> None:
        assert (channels, dtype) == (1, "int16") and samplerate == soundfile.info(_path()).samplerate
        self._rate_hz = samplerate
        self._started_s = time.monotonic()
        self._read = 0

    def __enter__(self) -> InputStream:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, frames: int) -> tuple[np.ndarray, bool]:
        """int16 [frames, 1], zeros after the end of the file; whether some were lost before them."""
        global _position
        lost = self._wait(frames)
        _position = min(_position + lost, soundfile.info(_path()).frames)
        data, _ = soundfile.read(_path(), frames=frames, start=_position, dtype="int16", always_2d=True)
        _position = min(_position + frames, soundfile.info(_path()).frames)
        return np.pad(data, ((0, frames - len(data)), (0, 0))), lost > 0

    def _wait(self, frames: int) -> int:
        """Until the frames have been played; how many before them were lost."""
        buffer_ms = os.environ.get("FAKE_MICROPHONE_BUFFER_MS")
        if buffer_ms is None:
            return 0
        now = round((time.monotonic() - self._started_s) * self._rate_hz)
        lost = max(0, now - self._read - round(int(buffer_ms) / 1000 * self._rate_hz))
        self._read += lost + frames
        time.sleep(max(0.0, (self._read - now) / self._rate_hz))
        return lost


def _path() -> str:
    return os.environ["FAKE_MICROPHONE"]
