"""A snapshot of a data folder: the hash of every file, with its label, split and licence texts."""

from __future__ import annotations

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.console import console
from tinyml_cli.data import inventory, official_lists
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.data.splits import SPLIT_FOLDERS, Split, split_of
from tinyml_cli.documents import MAX_DATA_BYTES, UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file
from tinyml_cli.validation import first_problem, refuse_newer

VERSION = 1
SNAPSHOT = "data-snapshot.json"

_SPLIT_FOLDERS: dict[str, Split] = {**SPLIT_FOLDERS, "valid": "validation", "dev": "validation"}
# Texts about the data: they change without the data.
_TEXTS = ("readme", "license", "licence", "copying", "notice")


class SnapshotItem(BaseModel):
    """One file of the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    label: str = Field(description="the folder that it lies in; empty at the top")
    speaker: str | None = Field(default=None, description="where the file's name says so")
    split: Split | None = Field(default=None, description="null: training chooses it")


class DataSnapshot(BaseModel):
    """All files of a data folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 over names and hashes of all items")
    texts: dict[str, str] = Field(description="file that states licence or origin -> its SHA-256")
    items: dict[str, SnapshotItem] = Field(description="path in the folder -> what lies there")

    def text(self) -> str:
        """As it is written to a file."""
        return self.model_dump_json(indent=1) + "\n"

    def labels(self) -> dict[str, int]:
        """Label -> number of files."""
        return dict(sorted(Counter(item.label for item in self.items.values()).items()))

    def splits(self) -> dict[str, int]:
        """Split -> number of files; "" for those whose split training chooses."""
        return dict(sorted(Counter(item.split or "" for item in self.items.values()).items()))


def shares_of(recipe: dict[str, Any]) -> tuple[float, float] | None:
    """The shares of the validation and the test split that a recipe's document sets; None: it has none."""
    training = recipe.get("training", {})
    shares = training.get("validation_share"), training.get("test_share")
    return None if None in shares else shares


def take(root: Path, shares: tuple[float, float] | None = None) -> DataSnapshot:
    """The snapshot of a folder or file as it is now.

    Args:
        root: the data.
        shares: of the validation and the test split, of a recipe that splits by speaker; None: only splits
            that folders or official lists state are known.

    Raises:
        TinymlError: nothing is there, or a file cannot be read.
    """
    listed = official_lists.read(root) if root.is_dir() else {}
    items, texts = {}, {}
    places = list(_files(root))
    with console.progress(len(places), "hashing") as bar:
        for name, path in places:
            sha256 = _hash(path)
            bar.advance()
            if _is_text(path):
                texts[name] = sha256
                continue
            speaker = speaker_of(path) if has_speaker(path) else None
            items[name] = SnapshotItem(
                sha256=sha256,
                bytes=path.stat().st_size,
                label=path.parent.name if "/" in name else "",
                speaker=speaker,
                split=_split(name, speaker, listed, shares),
            )
    if not items:
        raise TinymlError("There are no data", str(root), "Put files there, or name another folder.")
    digest = _digest({name: item.sha256 for name, item in items.items()})
    return DataSnapshot(digest=digest, texts=texts, items=items)


def load(path: Path) -> DataSnapshot:
    """A snapshot that was written to a file.

    Raises:
        TinymlError: unreadable, of a newer version, no snapshot, or changed since it was written.
    """
    try:
        document = load_json(path, MAX_DATA_BYTES)
    except UnreadableError as error:
        raise TinymlError(f"Cannot read the snapshot: {error}", str(path), _AGAIN) from error
    version = document.get("version") if isinstance(document, dict) else None
    refuse_newer("The snapshot has", version, VERSION, path)
    try:
        snapshot = DataSnapshot.model_validate(document)
    except ValidationError as error:
        problem = first_problem(error, DataSnapshot)
        raise TinymlError(f"The file is not a snapshot: {problem.what}", str(path), _AGAIN) from error
    if snapshot.digest != _digest({name: item.sha256 for name, item in snapshot.items.items()}):
        raise TinymlError("The snapshot was changed: its digest does not fit its files", str(path), _AGAIN)
    return snapshot


_AGAIN = "Write it again: tinyml data snapshot FOLDER --out FILE"


def left_out(root: Path) -> list[LeftOut]:
    """What no snapshot can hold: pipes and the like, and links that lead nowhere or back."""
    return [LeftOut(path, reason) for path, reason in _entries(root) if reason]


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """(path in the folder with slashes, path) of every file that is not hidden, in order of names."""
    if root.is_file():
        yield root.name, root
        return
    if not root.is_dir():
        raise TinymlError("There is no such file or folder", str(root), "Give the folder of the data.")
    for path, reason in _entries(root):
        if not reason:
            # A name that is no UTF-8 can stand in no document.
            yield path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode(), path


def _entries(root: Path) -> Iterator[tuple[Path, str]]:
    """(path, why it is left out) of everything in a folder that is not hidden; "" for a file."""
    seen = {root.resolve()}
    for parent, folders, names in os.walk(root, followlinks=True, onerror=_unreadable):
        visible = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in visible if _is_new(Path(parent, name), seen)]
        for name in visible:
            if name not in folders:
                yield Path(parent, name), "a link to a folder that is part of the data already"
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or name.lower() in inventory.SYSTEM_NAMES or name == SNAPSHOT:
                continue
            if path.is_file():
                yield path, ""
            else:
                yield path, "a pipe, socket or device" if path.exists() else "a broken link"


def _is_new(folder: Path, seen: set[Path]) -> bool:
    """Whether a folder is no link to one that was walked through: such links can lead in a circle."""
    real = folder.resolve()
    if folder.is_symlink() and real in seen:
        return False
    seen.add(real)
    return True


def _unreadable(error: OSError) -> None:
    raise TinymlError(
        f"Cannot read the folder: {error.strerror}", str(error.filename), "Check its permissions."
    ) from error


def _hash(path: Path) -> str:
    try:
        state = path.stat()
        return _hash_of(path.resolve(), state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise TinymlError(
            f"Cannot read the file: {error.strerror}", str(path), "Check its permissions, or move it away."
        ) from error


@functools.lru_cache(maxsize=1 << 18)
def _hash_of(path: Path, size: int, changed_ns: int) -> str:
    """The hash of a file of this size and time: a search trains on the same files again and again."""
    return sha256_file(path)


def _digest(hashes: dict[str, str]) -> str:
    digest = hashlib.sha256()
    for name, sha256 in sorted(hashes.items()):
        digest.update(f"{name}\0{sha256}\n".encode())
    return digest.hexdigest()


def _is_text(path: Path) -> bool:
    return path.name.lower().startswith(_TEXTS)


def _split(
    name: str, speaker: str | None, listed: dict[str, Split], shares: tuple[float, float] | None
) -> Split | None:
    if speaker in listed:
        return listed[speaker]
    folders = [
        _SPLIT_FOLDERS[part.lower()] for part in name.split("/")[:-1] if part.lower() in _SPLIT_FOLDERS
    ]
    if folders:
        return folders[0]
    return split_of(speaker, *shares) if speaker is not None and shares is not None else None
