"""flite, a small speech synthesiser, as a command if it is installed."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import processes, system_errors, temporary
from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio

VOICES = ("awb", "rms", "slt", "kal16")
# Mean fundamental frequency of each voice, in Hz: variations stay around it.
MEAN_PITCH_HZ = {"awb": 125.0, "rms": 100.0, "slt": 170.0, "kal16": 105.0}
_TIMEOUT_S = 20
_PROCESSES = 2


@dataclass(frozen=True)
class FliteUtterance:
    """One clip to synthesise; stretch above 1 is slower."""

    text: str
    voice: str
    stretch: float
    pitch_hz: float
    pitch_deviation_hz: float


def is_installed() -> bool:
    """Whether the command is on the PATH and speaks."""
    return shutil.which("flite") is not None


@functools.cache
def spells(word: str) -> bool:
    """Whether it says a word letter by letter, such as "hmm", which espeak-ng says as people do."""
    letters = [c for c in word.lower() if c.isascii() and c.isalnum()]
    return len(letters) > 1 and _phonemes(word) == [each for c in letters for each in _phonemes(c)] != []


@functools.cache
def _phonemes(text: str) -> list[str]:
    try:
        outcome = processes.run(["flite", "-ps", "-t", text, "none"], timeout_s=_TIMEOUT_S)
    except (OSError, processes.TimeoutExpired):
        return []
    return [each for each in outcome.stdout.split() if each != "pau"]


def say_all(utterances: Sequence[FliteUtterance], sample_rate_hz: int) -> Iterator[NDArray[np.int16]]:
    """Synthesises each utterance, in order; empty audio where flite failed.

    Yields:
        int16 [samples] at `sample_rate_hz`.

    Raises:
        TinymlError: temporary files cannot be written.
    """
    with (
        temporary.folder("flite") as folder,
        ThreadPoolExecutor(_PROCESSES) as pool,
    ):
        jobs = [
            (item, Path(folder) / f"{index}.wav", sample_rate_hz) for index, item in enumerate(utterances)
        ]
        yield from pool.map(lambda job: _say(*job), jobs)


def _say(utterance: FliteUtterance, path: Path, sample_rate_hz: int) -> NDArray[np.int16]:
    settings = {
        "duration_stretch": utterance.stretch,
        "int_f0_target_mean": utterance.pitch_hz,
        "int_f0_target_stddev": utterance.pitch_deviation_hz,
    }
    options = [part for key, value in settings.items() for part in ("--setf", f"{key}={value:.3f}")]
    command = ["flite", "-voice", utterance.voice, *options, "-t", utterance.text, "-o", str(path)]
    try:
        if processes.run(command, timeout_s=_TIMEOUT_S).returncode == 0:
            return read_audio(path, sample_rate_hz)
    except (OSError, processes.TimeoutExpired, UnreadableAudioError):
        pass
    finally:
        path.unlink(missing_ok=True)
    # On a full disk every clip would be empty, and the cache would keep them so.
    if refused := system_errors.temporary_files():
        raise refused
    return np.zeros(0, np.int16)
