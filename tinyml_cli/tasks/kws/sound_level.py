"""What a board's status says of the sound that it hears."""

from __future__ import annotations

import math
from collections import deque

from tinyml_cli.features import numpy_frontend
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import build_tables
from tinyml_cli.link.protocol import Status
from tinyml_cli.wording import counted

_FULL_SCALE = 32_768
_SILENT_RMS = 1  # what digital silence and its rounding reach
# Training puts voices at -42 dBFS and above; in a window of ten seconds somebody who speaks reaches that.
_QUIET_DBFS, _QUIET_S = -50.0, 10


class SoundLevel:
    """Level, noise and what is wrong with them, from a status every second."""

    def __init__(self, features: AudioFrontendSettings | None) -> None:
        """Keeps the scale of the front end, where it is known."""
        self._magnitude = (
            None if features is None else numpy_frontend.white_noise_magnitude(build_tables(features))
        )
        self._seconds: deque[int] = deque(maxlen=_QUIET_S)
        self._status: Status | None = None

    def take(self, status: Status) -> None:
        """Another second."""
        self._status = status
        self._seconds.append(status.audio_rms)

    @property
    def noise_dbfs(self) -> float | None:
        """The level of white noise that gives the front end's estimate; None where it is not known."""
        if self._status is None or not self._status.noise or self._magnitude is None:
            return None
        return 20 * math.log10(self._status.noise / self._magnitude / _FULL_SCALE)

    @property
    def trouble(self) -> str:
        """What is wrong with the sound, and what helps; empty where nothing is."""
        if self._status is None:
            return ""
        if clipped := self._status.clipped:
            return f"sound clipped: {counted(clipped, 'sample')} at full scale in a second; move away from it"
        if len(self._seconds) < _QUIET_S:
            return ""
        loudest = max(self._seconds)
        if loudest <= _SILENT_RMS:
            return f"no sound for {_QUIET_S} s: the microphone is covered, or does not work"
        if 20 * math.log10(loudest / _FULL_SCALE) < _QUIET_DBFS:
            return f"level too low: nothing above {_QUIET_DBFS:g} dBFS for {_QUIET_S} s; come nearer"
        return ""
