"""Divides a folder of recordings into folds by speaker."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.folder import BACKGROUND_FOLDER, speaker_of
from tinyml_cli.data.splits import position
from tinyml_cli.files import atomic_path


def split_folder(data: Path, fold: int, folds: int, target: Path) -> tuple[Path, Path]:
    """Copies the clips of the fold into `judged`, all others and the noise recordings into `trained`."""
    trained, judged = target / "trained", target / "judged"
    for clip in data.rglob("*"):
        if clip.suffix.lower() in AUDIO_SUFFIXES:
            chosen = int(position(speaker_of(clip)) * folds) == fold
            side = judged if chosen and clip.parent.name != BACKGROUND_FOLDER else trained
            copy = side / clip.parent.name / clip.name
            if not copy.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(copy) as temporary:
                    shutil.copy(clip, temporary)
    return trained, judged
