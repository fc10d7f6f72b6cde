"""What lies in the studio's folder: data folders, their labels, and the items in them. Nothing is decoded."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.series.read import SUFFIXES as SERIES_SUFFIXES
from tinyml_cli.data.speakers import speaker_in
from tinyml_cli.data.splits import SPLIT_FOLDERS
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import ConflictError, NotThereError
from tinyml_cli.images import image_file
from tinyml_cli.tasks.wand.strokes import read_strokes
from tinyml_cli.tasks.wand.takes import holds_strokes

DataKindName = Literal["sound", "images", "motion", "strokes"]

# A folder may hold runs, firmware, anything: what has more is no data folder of recordings by hand.
_DEEPEST = 3
_NOT_DATA = ("runs", "build", "node_modules")
_QUARANTINE = "-quarantine"

# A file, the folders between the data folder and it, and its ending in lower case.
_Found = tuple[os.DirEntry[str], tuple[str, ...], str]


class StoredItem(NamedTuple):
    """A clip, a picture, a recording of motion, or a stroke.

    Attributes:
        id: its path below the studio's folder; of a stroke, with `#` and the number in its file.
        version: changes with the content.
        time_s: when it was stored.
    """

    id: str
    label: str
    person: str
    version: str
    time_s: float


@functools.cache
def kinds() -> Mapping[DataKindName, Collection[str]]:
    """Endings of the files of each kind."""
    return {
        "sound": frozenset(AUDIO_SUFFIXES),
        "images": image_file.suffixes(),
        "motion": frozenset(SERIES_SUFFIXES) - {".json"},
        "strokes": frozenset({".json"}),
    }


def data_folders(root: Path) -> Iterator[tuple[str, DataKindName, list[StoredItem]]]:
    """Names of the data folders directly below `root`, the kind of most of their files, and their items."""
    for entry in sorted(os.scandir(root), key=lambda each: each.name):
        if entry.is_dir() and not is_other(entry.name) and (found := opened(root, Path(entry.path))):
            yield entry.name, *found


def kind_of(folder: Path) -> DataKindName | None:
    """The kind of most files of a folder; None where it holds no data."""
    return _kind(folder, list(_files(str(folder))))


def opened(root: Path, folder: Path) -> tuple[DataKindName, list[StoredItem]] | None:
    """The kind of a data folder and its items, the newest first; None where it holds no data.

    Args:
        root: the studio's folder.
        folder: below it.
    """
    files = list(_files(str(folder)))
    kind = _kind(folder, files)
    if kind is None:
        return None
    found = list(_of_strokes(root, folder) if kind == "strokes" else _of_files(root, folder, kind, files))
    found.sort(key=lambda item: (-item.time_s, item.id))
    return kind, found


def _kind(folder: Path, files: list[_Found]) -> DataKindName | None:
    # Strokes lie in the folder itself, all else in the folders of labels.
    endings = Counter(suffix for _, folders, suffix in files if folders)
    amounts = {kind: sum(endings[suffix] for suffix in suffixes) for kind, suffixes in kinds().items()}
    if not any(amounts.values()):
        return "strokes" if any(holds_strokes(path) for path in folder.glob("*.json")) else None
    del amounts["strokes"]
    best = max(amounts, key=lambda kind: amounts[kind])
    return best if amounts[best] else None


def version_of(path: Path) -> str:
    """The version of a file: another one whenever it is replaced.

    Raises:
        NotThereError: it does not exist.
    """
    try:
        return _version(path.stat())
    except OSError as error:
        raise NotThereError(
            f"`{path.name}` does not exist", str(path.name), "It was moved or deleted."
        ) from error


def check_version(path: Path, version: str) -> None:
    """Refuses to change what is no longer what the page shows.

    Raises:
        ConflictError: another window, or another program, has changed it.
        NotThereError: it does not exist.
    """
    if version_of(path) != version:
        raise ConflictError(
            f"`{path.name}` has been changed in another window",
            path.name,
            "The page shows it as it is now: try again.",
        )


def label_of(folders: Sequence[str]) -> str:
    """The label of a file by the folders between the data folder and it: the first that is no split's."""
    if len(folders) > 1 and folders[0].lower() in SPLIT_FOLDERS:
        return folders[1]
    return folders[0] if folders else ""


def _of_files(root: Path, folder: Path, kind: DataKindName, files: list[_Found]) -> Iterator[StoredItem]:
    suffixes, before = kinds()[kind], f"{folder.relative_to(root).as_posix()}/"
    for entry, folders, suffix in files:
        if suffix not in suffixes or not (label := label_of(folders)):
            continue
        state = entry.stat()
        place = "/".join((*folders, entry.name))
        person = _person_of(entry.name, folders, kind)
        yield StoredItem(before + place, label, person, _version(state), state.st_mtime)


def _of_strokes(root: Path, folder: Path) -> Iterator[StoredItem]:
    for path in sorted(folder.glob("*.json")):
        try:
            strokes = read_strokes(path)
        except TinymlError:
            continue  # `data check` says what is wrong with it
        state = path.stat()
        for number, stroke in enumerate(strokes):
            place = f"{path.relative_to(root).as_posix()}#{number}"
            yield StoredItem(
                place, stroke.label, stroke.person, _version(state), state.st_mtime + number / 1e6
            )


def _files(folder: str, folders: tuple[str, ...] = ()) -> Iterator[_Found]:
    """Files of a folder; hidden ones and links are left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_file(follow_symlinks=False):
                yield entry, folders, os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 (of thousands)
            elif len(folders) + 1 < _DEEPEST and entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, (*folders, entry.name))


def _person_of(name: str, folders: Sequence[str], kind: DataKindName) -> str:
    if kind == "motion":
        return folders[-1] if len(folders) > 1 else ""
    return speaker_in(name.rpartition(".")[0])


def _version(state: os.stat_result) -> str:
    return f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"


def is_other(name: str) -> bool:
    """Whether a folder directly below the studio's is none of data."""
    return name.startswith(".") or name in _NOT_DATA or name.endswith(_QUARANTINE)
