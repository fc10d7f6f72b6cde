"""Keeps the sound that made a board report a word, where this computer plays that sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.triggers import check_folder, write_trigger
from tinyml_cli.device.protocol import Detection
from tinyml_cli.device.replay import LEAD_IN_MS


class Triggers:
    """Files of what the model looked at when it fired.

    Args:
        folder: new or empty.
        clip_ms: how long the model looks back.
        sample_rate_hz: of what is played.

    Raises:
        TinymlError: the folder holds something.
    """

    def __init__(self, folder: Path, clip_ms: int, sample_rate_hz: int) -> None:
        check_folder(folder)
        self._folder = folder
        self._clip_samples = clip_ms * sample_rate_hz // 1000
        self._sample_rate_hz = sample_rate_hz
        self._source = ""
        self._audio: NDArray[np.int16] = np.zeros(0, np.int16)

    def play(self, name: str, audio: NDArray[np.int16]) -> None:
        """From now on the board hears this, after a reset.

        Args:
            name: the recording's path below the folder that is played.
            audio: int16 [samples] with the quiet before and after it.
        """
        self._source = Path(name).with_suffix("").as_posix()
        self._audio = audio

    def heard(self, detection: Detection) -> Path:
        """Writes the sound that ends at the detection; the time in its name is that of the recording."""
        end = min(detection.t_ms * self._sample_rate_hz // 1000, len(self._audio))
        clip = self._audio[max(0, end - self._clip_samples) : end]
        time_ms = max(0, detection.t_ms - LEAD_IN_MS)
        return write_trigger(self._folder, detection.label, self._source, time_ms, clip, self._sample_rate_hz)
