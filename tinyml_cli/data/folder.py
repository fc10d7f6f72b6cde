"""The Speech Commands layout: a folder per word, WAV, FLAC or OGG inside.

P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", arXiv:1804.03209.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory, official_lists
from tinyml_cli.data.audio_file import (
    AUDIO_SUFFIXES,
    UnreadableAudioError,
    is_recording,
    missing_extra,
    read_audio,
)
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet, Corpus, empty, join
from tinyml_cli.data.inventory import NOT_NEEDED, LeftOut
from tinyml_cli.data.pcm import fit_length
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

BACKGROUND_FOLDER, SILENCE_FOLDER = "_background_noise_", "_silence_"
MINIMUM_CLIPS, MINIMUM_SPEAKERS = 10, 3

_THREADS = 2


@dataclass(frozen=True)
class LabelledRecording:
    """A file, the label it trains, the word it says and who speaks."""

    path: Path
    label: str
    word: str
    group: str


def list_recordings(root: Path, words: Sequence[str]) -> list[LabelledRecording]:
    """Every clip of a data folder, sorted by path.

    Raises:
        TinymlError: no such folder, or a word without a folder.
    """
    folders = word_folders(root)
    for word in words:
        if word not in folders:
            raise _no_such_word(root, word, sorted(folders))
    recordings = []
    for name, folder in sorted(folders.items()):
        label = name if name in words else UNKNOWN
        recordings += [LabelledRecording(path, label, name, speaker_of(path)) for path in audio_files(folder)]
    silence = root / SILENCE_FOLDER
    if silence.is_dir():
        recordings += [
            LabelledRecording(p, SILENCE, SILENCE_FOLDER, speaker_of(p)) for p in audio_files(silence)
        ]
    return recordings


def list_to_train(root: Path, words: Sequence[str]) -> list[LabelledRecording]:
    """As list_recordings, with enough of every word to train on.

    Raises:
        TinymlError: as list_recordings, and a word with too few clips or speakers.
    """
    found = list_recordings(root, words)
    for word in words:
        _check_amount(root, word, [r for r in found if r.label == word])
    return found


def read_folder(
    root: Path, words: Sequence[str], sample_rate_hz: int, clip_samples: int, clips_per_label: int
) -> Corpus:
    """Reads a data folder to train on.

    Args:
        root: holds a folder per word; others become "unknown".
        words: the targets.
        sample_rate_hz: rate of the clips.
        clip_samples: length of the clips; shorter files are padded, longer ones cut to the loudest stretch.
        clips_per_label: at most this many clips of each label are read, spread evenly over the words.

    Raises:
        TinymlError: as list_to_train, and damaged or empty audio:
            the first file's name and their number.
    """
    recordings = list_to_train(root, words)
    chosen = thin_out(recordings, clips_per_label)
    clips = read_recordings(chosen, sample_rate_hz, clip_samples)
    noises = read_backgrounds(root, sample_rate_hz, clip_samples)
    kept = set(chosen)
    left_out = [
        *left_out_of(root, [*(each.path for each in recordings), *background_files(root)]),
        *(LeftOut(each.path, NOT_NEEDED) for each in recordings if each not in kept),
    ]
    notes = inventory.tell(left_out)
    if not (clips.labels == SILENCE).any() and noises:
        clips = join([clips, cut_silence(noises, clip_samples)])
        notes.append(f"silence cut from {BACKGROUND_FOLDER}")
    if not (clips.labels == UNKNOWN).any():
        notes.append("no folders of other words: `unknown` is synthetic or missing")
    fixed = official_lists.read(root)
    if fixed:
        notes.append(f"split by {official_lists.VALIDATION_LIST} and {official_lists.TESTING_LIST}")
    return Corpus(clips, tuple(noises.values()), tuple(notes), fixed, tuple(left_out))


def thin_out(recordings: Sequence[LabelledRecording], clips_per_label: int) -> list[LabelledRecording]:
    """At most `clips_per_label` of each label, every word in turn, chosen by a hash of the file name."""
    kept: list[LabelledRecording] = []
    for label in sorted({r.label for r in recordings}):
        same = [r for r in recordings if r.label == label]
        kept += [
            same[row]
            for row in balanced_rows(
                [r.word for r in same], clips_per_label, [f"{r.word}/{r.path.name}" for r in same]
            )
        ]
    return sorted(kept, key=lambda r: r.path)


def balanced_rows(words: Sequence[str], count: int, names: Sequence[str]) -> list[int]:
    """Rows of up to `count` items, taken from each word in turn in the order of the hash of their names."""
    queues: dict[str, list[int]] = {}
    for row in sorted(range(len(words)), key=lambda r: hashlib.sha256(names[r].encode()).digest()):
        queues.setdefault(words[row], []).append(row)
    turns = [(turn, word, row) for word, rows in queues.items() for turn, row in enumerate(rows)]
    return sorted(row for _, _, row in sorted(turns)[:count])


def read_recordings(
    recordings: Sequence[LabelledRecording],
    sample_rate_hz: int,
    clip_samples: int,
    unreadable: list[LeftOut] | None = None,
) -> ClipSet:
    """Reads the files, each fitted to the clip length.

    Args:
        recordings: what to read.
        sample_rate_hz: rate of the clips.
        clip_samples: their length.
        unreadable: collects damaged and empty files, which are then left out.

    Raises:
        TinymlError: damaged or empty audio; with `unreadable`, only where no other is left.
    """
    if not recordings:
        return empty(clip_samples)
    damaged: list[LeftOut] = []
    audio = _read_files(
        [r.path for r in recordings], sample_rate_hz, lambda x: fit_length(x, clip_samples), damaged
    )
    if damaged and (unreadable is None or not audio):
        raise _unreadable(damaged)
    if unreadable is not None:
        unreadable += damaged
    read = [r for r in recordings if r.path in audio]
    return ClipSet(
        np.stack([audio[r.path] for r in read]),
        np.array([r.label for r in read]),
        np.array([r.word for r in read]),
        np.array([r.group for r in read]),
    )


def read_backgrounds(
    root: Path, sample_rate_hz: int, clip_samples: int, unreadable: list[LeftOut] | None = None
) -> dict[str, NDArray[np.int16]]:
    """The recordings in `_background_noise_`, each at least a clip long; empty without the folder.

    Args:
        root: the data folder.
        sample_rate_hz, clip_samples: of a clip.
        unreadable: as for read_recordings.

    Raises:
        TinymlError: damaged or empty audio, without `unreadable`.
    """
    damaged: list[LeftOut] = []
    audio = _read_files(background_files(root), sample_rate_hz, lambda x: x, damaged)
    if damaged and unreadable is None:
        raise _unreadable(damaged)
    if unreadable is not None:
        unreadable += damaged
    return {p.name: x if len(x) >= clip_samples else np.resize(x, clip_samples) for p, x in audio.items()}


def background_files(root: Path) -> list[Path]:
    """The recordings in `_background_noise_`, sorted; none without the folder."""
    folder = root / BACKGROUND_FOLDER
    return audio_files(folder) if folder.is_dir() else []


def cut_silence(noises: dict[str, NDArray[np.int16]], clip_samples: int) -> ClipSet:
    """Clips cut side by side from recordings of background; three neighbours share a group for the split."""
    cuts, groups = [], []
    for name, noise in sorted(noises.items()):
        for index in range(len(noise) // clip_samples):
            cuts.append(noise[index * clip_samples : (index + 1) * clip_samples])
            groups.append(f"{BACKGROUND_FOLDER}/{name}/{index // 3}")
    names = np.full(len(cuts), SILENCE)
    return ClipSet(np.stack(cuts), names, np.full(len(cuts), BACKGROUND_FOLDER), np.array(groups))


def _read_files(
    paths: Sequence[Path],
    sample_rate_hz: int,
    fit: Callable[[NDArray[np.int16]], NDArray[np.int16]],
    damaged: list[LeftOut],
) -> dict[Path, NDArray[np.int16]]:
    """The sound of each file; `damaged` collects those that cannot be read."""

    def read(path: Path) -> NDArray[np.int16] | UnreadableAudioError:
        try:
            return fit(read_audio(path, sample_rate_hz))
        except UnreadableAudioError as error:
            return error

    audio: dict[Path, NDArray[np.int16]] = {}
    with ThreadPoolExecutor(_THREADS) as pool, console.progress(len(paths), "Reading audio") as progress:
        for path, result in zip(paths, pool.map(read, paths), strict=True):
            progress.advance(1, path.parent.name)
            if isinstance(result, UnreadableAudioError):
                damaged.append(LeftOut(path, str(result)))
            else:
                audio[path] = result
    return audio


def _unreadable(damaged: Sequence[LeftOut]) -> TinymlError:
    first = damaged[0]
    more = f" and {counted(len(damaged) - 1, 'more file')}" if len(damaged) > 1 else ""
    return TinymlError(
        f"`{first.path.name}`{more} cannot be read as audio: {first.reason}",
        str(first.path),
        "Fix or remove such files; `tinyml data check FOLDER --fix` moves them away.",
    )


def word_folders(root: Path) -> dict[str, Path]:
    """The folders of words by name; names that begin with `_` or `.` are not words.

    Raises:
        TinymlError: no such folder, or none inside it.
    """
    if not root.is_dir():
        raise TinymlError(
            "The data folder does not exist", str(root), "Give a folder that contains one folder per word."
        )
    folders = {p.name: p for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    if not folders:
        raise TinymlError(
            "The data folder contains no word folders",
            str(root),
            "Lay it out as DIR/yes/SPEAKER_nohash_0.wav, one folder per word.",
        )
    return folders


def audio_files(folder: Path) -> list[Path]:
    """The recordings in a folder, sorted; those that need an extra count only if it is installed."""
    return sorted(path for path in folder.iterdir() if is_recording(path))


def recordings_below(path: Path, wanted: str, tell: bool = True) -> list[Path]:
    """The recordings in a folder and below it, sorted; or the file itself.

    Args:
        path: a folder or a file.
        wanted: what to do where there are none.
        tell: whether to warn about all other files.

    Raises:
        TinymlError: no such path, or no recording in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise TinymlError("The recording or folder does not exist", str(path), wanted)
    found = sorted(file for file in path.rglob("*") if is_recording(file))
    rest = inventory.left_out(path, found, "sound", AUDIO_SUFFIXES, missing_extra)
    if not found:
        raise TinymlError(
            f"The folder contains no readable recordings{inventory.explained(rest)}", str(path), wanted
        )
    if tell:
        inventory.tell(rest)
    return found


def left_out_of(root: Path, used: Iterable[Path]) -> list[LeftOut]:
    """Every file of a data folder that is not among its recordings, with the reason."""
    return inventory.left_out(root, used, "sound", AUDIO_SUFFIXES, lambda path: _why_left_out(root, path))


def _why_left_out(root: Path, path: Path) -> str:
    if not is_recording(path):
        return missing_extra(path)
    folders = path.relative_to(root).parts[:-1]
    if not folders:
        return "it is next to the word folders, not inside one"
    if folders[0].startswith("_") and folders[0] not in (SILENCE_FOLDER, BACKGROUND_FOLDER):
        return f"its folder `{folders[0]}` begins with _ and is not a word"
    return "it is in a subfolder of a word folder" if len(folders) > 1 else ""


def _left_out_below(root: Path, word: str, found: Iterable[LabelledRecording]) -> list[LeftOut]:
    folder = root / word
    rest = left_out_of(root, [recording.path for recording in found])
    return [entry for entry in rest if entry.path.is_relative_to(folder)]


def _no_such_word(root: Path, word: str, available: Sequence[str]) -> TinymlError:
    close = difflib.get_close_matches(word, available, n=1)
    hint = f"Did you mean `{close[0]}`? " if close else ""
    return TinymlError(
        f"No folder for the word `{word}`", str(root), f"{hint}Available words: {', '.join(available)}."
    )


def _check_amount(root: Path, word: str, recordings: Iterable[LabelledRecording]) -> None:
    found = list(recordings)
    speakers = len({r.group for r in found})
    if len(found) < MINIMUM_CLIPS or speakers < MINIMUM_SPEAKERS:
        raise TinymlError(
            f"The word `{word}` has {counted(len(found), 'clip')} of {counted(speakers, 'speaker')}; it "
            f"needs at least {MINIMUM_CLIPS} clips of {MINIMUM_SPEAKERS} "
            f"speakers{inventory.explained(_left_out_below(root, word, found))}",
            str(root / word),
            "Record more, or omit --data to train on synthetic speech.",
        )
