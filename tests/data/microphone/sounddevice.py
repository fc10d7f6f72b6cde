"""Stands in for the package `sounddevice` where there is no sound hardware: the microphone is a WAV file.

Only what `tinyml data record words` calls, with the signatures of sounddevice 0.5. FAKE_MICROPHONE
names the file; "none" is a computer without a microphone.
"""

from __future__ import annotations

import os
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

    def __enter__(self) -> InputStream:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, frames: int) -> tuple[np.ndarray, bool]:
        """int16 [frames, 1], zeros after the end of the file; never an overflow."""
        global _position
        data, _ = soundfile.read(_path(), frames=frames, start=_position, dtype="int16", always_2d=True)
        _position = min(_position + frames, soundfile.info(_path()).frames)
        return np.pad(data, ((0, frames - len(data)), (0, 0))), False


def _path() -> str:
    return os.environ["FAKE_MICROPHONE"]
