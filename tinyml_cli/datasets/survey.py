"""Reads every clip of a data folder once and records what checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import levels
from tinyml_cli.data.audio_file import UnreadableAudioError, read_sound
from tinyml_cli.data.folder import BACKGROUND_FOLDER, SILENCE_FOLDER
from tinyml_cli.data.pcm import fit_length, to_int16
from tinyml_cli.data.resample import resample
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.datasets.sound_alike import Course, course_of
from tinyml_cli.word_embedding import embedding

_THREADS = 2


@dataclass(frozen=True)
class Clip:
    """One file.

    Attributes:
        path: relative to the data folder.
        word: its folder.
        speaker: who speaks; a file without a speaker in its name is a speaker of its own.
        named_speaker: whether the file name says who speaks.
        unreadable: why it cannot be read; empty when it can.
        damage: what is missing of its sound; empty where nothing is.
        notes: what else is not as its format wants it.
        sample_rate_hz: of the file.
        channels: of the file.
        seconds: its length.
        rms_dbfs: level of the whole.
        peak_dbfs: its largest sample.
        clipped_share: share of samples in flattened peaks.
        digest: SHA-256 of the sound without its zeros at both ends; a WAV and its FLAC have the same.
        course: what nearly the same sounds have in common; None for silence.
        codes: what the word embedding is given of its loudest second; None for silence and background.
    """

    path: Path
    word: str
    speaker: str
    named_speaker: bool
    unreadable: str = ""
    damage: str = ""
    notes: tuple[str, ...] = ()
    sample_rate_hz: int = 0
    channels: int = 0
    seconds: float = 0.0
    rms_dbfs: float = levels.QUIETEST_DBFS
    peak_dbfs: float = levels.QUIETEST_DBFS
    clipped_share: float = 0.0
    digest: str = ""
    course: Course | None = None
    codes: NDArray[np.int8] | None = None


def read_clips(root: Path, paths: Sequence[Path]) -> list[Clip]:
    """Reads recordings below `root`, in their order."""
    clips = []
    with ThreadPoolExecutor(_THREADS) as pool, console.progress(len(paths), "Checking clips") as progress:
        for clip in pool.map(lambda path: _read(root, path.relative_to(root)), paths):
            progress.advance(1, clip.word)
            clips.append(clip)
    return clips


def is_speech(word: str) -> bool:
    """Whether a folder holds words rather than silence or background."""
    return word not in (SILENCE_FOLDER, BACKGROUND_FOLDER)


def _read(root: Path, path: Path) -> Clip:
    word = path.parent.name
    identity = (path, word, speaker_of(path), has_speaker(path))
    try:
        sound = read_sound(root / path)
    except UnreadableAudioError as error:
        return Clip(*identity, unreadable=str(error))
    audio = sound.audio
    return Clip(
        *identity,
        damage=sound.damage,
        notes=sound.notes,
        sample_rate_hz=sound.rate_hz,
        channels=sound.channels,
        seconds=len(audio) / sound.rate_hz,
        rms_dbfs=levels.rms_dbfs(audio),
        peak_dbfs=levels.peak_dbfs(audio),
        clipped_share=levels.clipped_share(audio),
        digest=digest(audio),
        course=course_of(audio, sound.rate_hz),
        codes=_codes(audio, sound.rate_hz) if is_speech(word) and audio.any() else None,
    )


def _codes(audio: NDArray[np.int16], rate_hz: int) -> NDArray[np.int8]:
    longest = round(embedding.CLIP_MS * rate_hz / 1000)
    loudest = fit_length(audio, longest).astype(np.float32) / 32768
    sound = to_int16(resample(loudest, rate_hz, embedding.settings().sample_rate_hz))
    return embedding.codes(fit_length(sound, embedding.clip_samples()))


def digest(audio: NDArray[np.int16]) -> str:
    """SHA-256 of samples [n] without the zeros at both ends; empty for nothing but zeros."""
    sounding = audio != 0
    if not sounding.any():
        return ""
    kept = audio[int(sounding.argmax()) : len(audio) - int(sounding[::-1].argmax())]
    return hashlib.sha256(np.ascontiguousarray(kept, dtype="<i2").tobytes()).hexdigest()
