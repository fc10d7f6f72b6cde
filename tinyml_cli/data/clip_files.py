"""Clips as files of the Speech Commands layout: `WORD/SPEAKER_nohash_N.wav`, 16-bit mono."""

from __future__ import annotations

import contextlib
import os
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import temporary
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.speakers import MARK, speaker_of, take_of
from tinyml_cli.errors import TinymlError


def wav_bytes(audio: NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Samples int16 [n] as a WAV file."""
    import soundfile

    stream = BytesIO()
    soundfile.write(stream, audio, sample_rate_hz, subtype="PCM_16", format="WAV")
    return stream.getvalue()


def takes_of(folder: Path, speaker: str) -> list[int]:
    """Numbers of a speaker's clips in the folder of a word, sorted."""
    if not folder.is_dir():
        return []
    clips = (path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)
    return sorted(take_of(path) for path in clips if take_of(path) >= 0 and speaker_of(path) == speaker)


def save_clip(folder: Path, speaker: str, audio: NDArray[np.int16], sample_rate_hz: int) -> Path:
    """Writes a clip under the speaker's next free number; whole or not at all, never over another file.

    Raises:
        TinymlError: the folder cannot be written.
    """
    content = wav_bytes(audio, sample_rate_hz)
    number = (takes_of(folder, speaker) or [-1])[-1] + 1
    while True:
        path = folder / f"{speaker}{MARK}{number}.wav"
        with contextlib.suppress(FileExistsError):
            write_new(path, content)
            return path
        number += 1


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that must not exist yet, whole or not at all.

    Raises:
        FileExistsError: there is such a file already.
        TinymlError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = temporary.sibling(path)
        try:
            with made.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            made.chmod(0o644)
            _place(made, path)
        finally:
            temporary.remove(made)
    except FileExistsError:
        raise
    except OSError as error:
        raise TinymlError(
            f"Cannot write: {error.strerror or error}",
            str(path),
            "Free some space there, or choose another folder (--out).",
        ) from error


def _place(made: Path, path: Path) -> None:
    """Gives a finished file its name, unless the name is taken."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links, such as a memory card's.
        if path.exists():
            raise FileExistsError(str(path)) from None
        made.rename(path)
