"""What an emulated board perceives: recordings of any kind, as the plain numbers that its process reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml_cli.errors import TinymlError

SOUND_HZ = 16_000


@dataclass(frozen=True)
class Surroundings:
    """What is around an emulated board.

    Attributes:
        sound: a recording that its microphone hears once, from its start on; None is silence.
        motion: a recording of acceleration, and of rotation if it has any, that moves it once; None lies
            still.
    """

    sound: Path | None = None
    motion: Path | None = None

    @property
    def has_end(self) -> bool:
        """Whether something is played."""
        return self.sound is not None or self.motion is not None


def sound_file(path: Path, folder: Path) -> Path:
    """A recording as int16 samples at SOUND_HZ, in a folder.

    Raises:
        TinymlError: it cannot be read.
    """
    from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio

    try:
        samples = read_audio(path, SOUND_HZ)
    except UnreadableAudioError as error:
        raise TinymlError(
            f"The recording cannot be read: {error}",
            str(path),
            "Give --sound a recording, such as a WAV file.",
        ) from error
    out = folder / "sound.i16"
    out.write_bytes(samples.astype("<i2").tobytes())
    return out


def motion_file(path: Path, folder: Path) -> tuple[Path, float]:
    """A recording in a folder, as six int32 a sample: mg, then thousandths of a degree per second; its rate.

    Raises:
        TinymlError: it cannot be read, has no acceleration, or does not tell its rate.
    """
    from tinyml_cli.data.series.read import SUFFIXES, read_series
    from tinyml_cli.data.series.sources import sources
    from tinyml_cli.recipes.series import SeriesRecipe

    found = sources([path])[0] if path.suffix.lower() in SUFFIXES else []
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise TinymlError(
            "The file is no recording of motion", str(path), f"Give one of these kinds: {kinds}."
        )
    series = read_series(found, SeriesRecipe(), motion=True)[0]
    if series.rate_hz is None:
        raise TinymlError(
            "The recording does not tell how many samples a second it has",
            str(path),
            "Add a column of times.",
        )
    values = np.concatenate([stretch.values for stretch in series.stretches])
    samples = np.zeros((len(values), 6))
    for kind, first in (("acceleration", 0), ("rotation", 3)):
        for place, axis in enumerate("xyz"):
            if (kind, axis) in series.axes:
                samples[:, first + place] = 1000.0 * values[:, series.axes[kind, axis]]
    if not samples[:, :3].any():
        raise TinymlError("The recording has no acceleration", str(path), "Give one with columns x, y, z.")
    out = folder / "motion.i32"
    limit = np.iinfo(np.int32).max
    out.write_bytes(np.clip(samples, -limit, limit).round().astype("<i4").tobytes())
    return out, series.rate_hz
