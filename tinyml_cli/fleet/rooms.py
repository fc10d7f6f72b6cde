"""Where virtual devices stand: who speaks there, how loud, over which noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.folder import BACKGROUND_FOLDER, SILENCE_FOLDER, recordings_below
from tinyml_cli.data.resample import resample
from tinyml_cli.errors import TinymlError

LEAD_S = 1.0
_SILENCE_SHARE = 0.2
_UNKNOWN_SHARE = 0.3
_MOST_VOICES = 6


@dataclass(frozen=True)
class RoomSound:
    """Sound that a device hears.

    Attributes:
        audio: int16 [samples], with a second of the room before and after what is said.
        expected: the label that is right; None: nothing is to be detected.
    """

    audio: NDArray[np.int16]
    expected: str | None


class Room:
    """One place, always the same for a seed.

    Args:
        sounds: a folder of recordings, with a folder for each word.
        labels: of the model.
        rate_hz: of the model.
        seed: of the room.

    Raises:
        TinymlError: the folder holds no recording of the model's words.
    """

    def __init__(self, sounds: Path, labels: Sequence[str], rate_hz: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._rate_hz = rate_hz
        words = [label for label in labels if label not in (SILENCE, UNKNOWN)]
        by_word = recordings_by_word(sounds)
        self._words = {word: by_word[word] for word in words if word in by_word}
        if not self._words:
            raise TinymlError(
                f"There are no recordings of {', '.join(words)}",
                str(sounds),
                "Name a folder with a folder of recordings for each word: --sounds DIR",
            )
        others = [path for word, paths in by_word.items() if word not in words for path in paths]
        self._others = others
        self._voices = _MOST_VOICES
        self.gain_db = float(self._rng.uniform(-12.0, 3.0))
        self.noise_rms = float(10 ** self._rng.uniform(0.6, 2.3))
        self.accent = float(self._rng.uniform(0.93, 1.07))
        self._colour = float(self._rng.uniform(0.0, 0.95))
        self._words = {word: self._some(paths) for word, paths in self._words.items()}

    def _some(self, paths: list[Path]) -> list[Path]:
        count = min(self._voices, len(paths))
        return [paths[i] for i in sorted(self._rng.choice(len(paths), count, replace=False))]

    def utterance(self, gain_db: float = 0.0) -> RoomSound:
        """What is heard next, made louder by so much."""
        draw = self._rng.random()
        expected: str | None = None
        spoken = np.zeros(self._rate_hz, np.float32)
        if draw < _UNKNOWN_SHARE and self._others:
            spoken = self._said(self._others[self._rng.integers(len(self._others))])
        elif draw < 1 - _SILENCE_SHARE:
            expected = str(self._rng.choice(sorted(self._words)))
            paths = self._words[expected]
            spoken = self._said(paths[self._rng.integers(len(paths))])
        lead = round(LEAD_S * self._rate_hz)
        sound = np.pad(spoken * 10 ** (self.gain_db / 20), lead) + self._noise(len(spoken) + 2 * lead)
        loud = np.clip(np.rint(sound * 10 ** (gain_db / 20)), -32768, 32767)
        return RoomSound(loud.astype(np.int16), expected)

    def _said(self, path: Path) -> NDArray[np.float32]:
        """A recording, spoken faster or slower, and so higher or lower."""
        return _spoken(path, self._rate_hz, round(self.accent, 2))

    def _noise(self, samples: int) -> NDArray[np.float32]:
        """White noise, made darker by a running mean with itself."""
        white = self._rng.normal(0.0, self.noise_rms, samples).astype(np.float32)
        white[1:] += np.float32(self._colour) * white[:-1]
        return white


@lru_cache(maxsize=2000)
def _spoken(path: Path, rate_hz: int, accent: float) -> NDArray[np.float32]:
    try:
        audio = read_audio(path, rate_hz)
    except UnreadableAudioError as error:
        raise TinymlError(f"The recording cannot be read: {error}", str(path), "Remove it.") from error
    return resample(audio.astype(np.float32), rate_hz * accent, rate_hz)


@lru_cache(maxsize=8)
def recordings_by_word(sounds: Path) -> dict[str, list[Path]]:
    """Word -> its recordings; background noise and silence are left out.

    Raises:
        TinymlError: no folder, or no recordings in it.
    """
    found: dict[str, list[Path]] = {}
    for path in recordings_below(sounds, "Give a folder with --sounds.", False):
        word = path.parent.name
        if word not in (BACKGROUND_FOLDER, SILENCE_FOLDER):
            found.setdefault(word, []).append(path)
    return found
