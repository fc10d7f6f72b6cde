"""Saves the audio that triggered a model, to listen to and to train on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path


def check_folder(folder: Path) -> None:
    """Refuses a place that holds something already.

    Raises:
        TinymlError: it is no folder, or not an empty one.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise TinymlError(
            "The trigger folder is not empty; nothing was written",
            str(folder),
            "Name a new folder.",
        )


def write_trigger(
    folder: Path,
    label: str,
    source: str,
    time_ms: int,
    clip: NDArray[np.int16],
    sample_rate_hz: int,
) -> Path:
    """Writes what the model saw as `LABEL_SOURCE_SECONDSs.wav`, 16-bit mono.

    Args:
        folder: is made where it is missing.
        label: what was reported; perhaps by a stranger's device, so only letters, digits, _ and - are kept.
        source: the recording's or stream's name.
        time_ms: when, since the start of the source.
        clip: int16 [samples].
        sample_rate_hz: of the clip.
    """
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join(re.sub(r"[^\w-]+", "_", part)[:80] for part in (label, source))
    path = folder / f"{name}_{time_ms / 1000:08.2f}s.wav"
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        soundfile.write(stream, clip, sample_rate_hz, subtype="PCM_16", format="WAV")
    return path
