"""Recordings in which nobody says the words: hours of people and rooms to train and to choose by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.data import splits
from tinyml_cli.data.audio_file import UnreadableAudioError, audio_blocks
from tinyml_cli.data.folder import recordings_below
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.kws import KwsRecipe

Int16Array = npt.NDArray[np.int16]

STRETCH_S = 120
"""Seconds of the pieces."""

# Between two recordings, as faint as a quiet room.
_GAP_S, _FAINT_LSB = 0.3, 4.0
_CHOOSING_SHARE = 0.2
# With fewer folders, each recording counts as a speaker of its own.
_FEWEST_FOLDERS = 10
_OPTION = "--negatives"


def check(recipe: KwsRecipe) -> None:
    """Whether the recipe can use its recordings; nothing is read.

    Raises:
        TinymlError: it trains on no streams or on people's words, or there is no recording.
    """
    root = recipe.streams.recordings
    if root is None:
        return
    if not recipe.streams.hours or recipe.data_path is not None:
        raise TinymlError(
            "Recordings without the words train a network by streams, with synthetic words",
            _OPTION,
            "Omit --model and --config: the default trains by streams."
            if recipe.data_path is None
            else "Omit --data; a data folder has other words.",
        )
    listed(Path(root), recipe.words, tell=True)


def listed(root: Path, words: Sequence[str], tell: bool = False) -> list[tuple[Path, str]]:
    """(recording, its speaker or folder) of a folder, without subfolders that have the name of a word.

    `tell` warns of files that are no recordings.

    Raises:
        TinymlError: no such folder, or no recording in it.
    """
    named = {word.casefold() for word in words}
    advice = f"Give a folder of recordings in which nobody says {' or '.join(words)}: {_OPTION} DIR."
    found = [
        path
        for path in recordings_below(root, advice, tell)
        if not named & {part.casefold() for part in path.relative_to(root).parts[:-1]}
    ]
    if not found:
        raise TinymlError("All recordings of the folder are of the words", str(root), advice)
    folders = {path.parent for path in found}
    by_folder = len(folders) >= _FEWEST_FOLDERS

    def group(path: Path) -> str:
        if by_folder and not has_speaker(path):
            return path.parent.relative_to(root).as_posix()
        return speaker_of(path)

    return [(path, group(path)) for path in found]


def stretches(recipe: KwsRecipe, split: splits.Split, most_hours: float) -> Iterator[Int16Array]:
    """The recordings of a split's speakers one after another, in pieces of STRETCH_S or, at the end, less.

    Args:
        recipe: names the folder; nothing comes where it names none.
        split: "train" or "validation".
        most_hours: the rest is left out; which, depends on the names alone.

    Yields:
        int16 [samples].

    Raises:
        TinymlError: a recording that cannot be read.
    """
    if recipe.streams.recordings is None:
        return
    root, rate_hz = Path(recipe.streams.recordings), recipe.features.sample_rate_hz
    paths = [
        path
        for path, group in listed(root, recipe.words)
        if splits.split_of(group, _CHOOSING_SHARE, 0) == split
    ]
    paths.sort(key=lambda path: splits.position(path.relative_to(root).as_posix()))
    left, size = round(most_hours * 3600 * rate_hz), STRETCH_S * rate_hz
    held: list[Int16Array] = []
    for block in _blocks(paths, rate_hz):
        at = 0
        while at < len(block) and left:
            taken = block[at : at + min(left, size - sum(map(len, held)))]
            held.append(taken)
            at, left = at + len(taken), left - len(taken)
            if sum(map(len, held)) == size:
                yield np.concatenate(held)
                held = []
        if not left:
            break
    if sum(map(len, held)) > recipe.clip_samples:
        yield np.concatenate(held)


def fingerprint(recipe: KwsRecipe) -> bytes:
    """Changes with the names and sizes of the recordings."""
    digest = hashlib.sha256()
    if recipe.streams.recordings is not None:
        for path, _ in listed(Path(recipe.streams.recordings), recipe.words):
            digest.update(f"{path}\n{path.stat().st_size}\n".encode())
    return digest.digest()


def _blocks(paths: Sequence[Path], rate_hz: int) -> Iterator[Int16Array]:
    rng = np.random.default_rng(len(paths))
    for path in paths:
        try:
            yield from audio_blocks(path, rate_hz)
        except UnreadableAudioError as error:
            raise TinymlError(
                f"Cannot read the recording: {error}", str(path), "Remove it from the folder."
            ) from error
        yield np.rint(rng.normal(0, _FAINT_LSB, round(_GAP_S * rate_hz))).astype(np.int16)
