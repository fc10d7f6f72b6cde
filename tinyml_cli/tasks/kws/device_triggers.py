"""Saves the audio that triggered a board: what this computer plays, or what the board sends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.link.protocol import Audio, Detection, Event, Ready
from tinyml_cli.tasks.kws.replay import LEAD_IN_MS
from tinyml_cli.tasks.kws.triggers import check_folder, write_trigger

# The microphone's samples come in pieces of 10 ms, some of them after those that a detection is about.
_SPARE_SAMPLES = 4096


class Triggers:
    """Files of what the model looked at when it fired.

    Args:
        folder: new or empty.
        clip_ms: how long the model looks back.
        sample_rate_hz: of the board's stream.

    Raises:
        TinymlError: the folder holds something.
    """

    def __init__(self, folder: Path, clip_ms: int, sample_rate_hz: int) -> None:
        check_folder(folder)
        self._folder = folder
        self._clip_samples = clip_ms * sample_rate_hz // 1000
        self._sample_rate_hz = sample_rate_hz
        self._boots = 0
        self._source = "microphone"
        self._is_played = False
        self._hear(0, np.zeros(0, np.int16))

    def play(self, name: str, audio: NDArray[np.int16]) -> None:
        """From now on the board hears this, after a reset.

        Args:
            name: the recording's path below the folder that is played.
            audio: int16 [samples] with the quiet before and after it.
        """
        self._is_played = True
        self._source = Path(name).with_suffix("").as_posix()
        self._hear(0, audio)

    def take(self, event: Event) -> None:
        """Keeps the sound that the board passes on, and writes what led to a report."""
        if isinstance(event, Detection):
            self.heard(event)
        elif self._is_played:
            return
        elif isinstance(event, Audio):
            self._listen(event)
        elif isinstance(event, Ready):
            # The board booted again: its stream begins anew.
            self._boots += 1
            self._source = f"microphone-{self._boots}"
            self._hear(0, np.zeros(0, np.int16))

    def _listen(self, event: Audio) -> None:
        """After a gap only what follows it counts."""
        piece = np.frombuffer(event.data[: len(event.data) // 2 * 2], "<i2").astype(np.int16)
        if event.sample != self._start + len(self._audio):
            self._hear(event.sample, piece)
            return
        audio = np.concatenate([self._audio, piece])[-(self._clip_samples + _SPARE_SAMPLES) :]
        self._hear(event.sample + len(piece) - len(audio), audio)

    def heard(self, detection: Detection) -> Path | None:
        """Writes the sound that ends at the detection; None where it is not known.

        The time in the file's name is that of the recording, or of the board's stream.
        """
        end = detection.t_ms * self._sample_rate_hz // 1000 - self._start
        clip = self._audio[max(0, end - self._clip_samples) : max(0, end)]
        if not len(clip):
            console.warn(f"The audio of the detection at {detection.t_ms} ms was lost; nothing was saved.")
            return None
        time_ms = max(0, detection.t_ms - (LEAD_IN_MS if self._is_played else 0))
        # Where a board holds two models, each names itself: both may report the same word at once.
        model = getattr(detection, "model", None)
        source = f"{self._source}_{model}" if model else self._source
        return write_trigger(self._folder, detection.label, source, time_ms, clip, self._sample_rate_hz)

    def _hear(self, start: int, audio: NDArray[np.int16]) -> None:
        """The samples that are known: int16 [samples], the first of which is number `start` of the stream."""
        self._start, self._audio = start, audio
