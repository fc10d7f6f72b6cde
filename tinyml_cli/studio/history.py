"""Changes to data that can be undone, kept on the disk, so that a killed studio loses nothing.

Each change has a folder of its own in `.tinyml-studio/undo/` below the studio's folder. First the old files
are kept there and `change.json` says what is to come; then the files change; then `done` is written. A
studio that starts takes back what was begun and not done.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import temporary, undo
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.files import make_folder, sha256_file, write_atomic
from tinyml_cli.http_api.refusals import ConflictError, NotThereError

PLACE = Path(".tinyml-studio") / "undo"

_LOG, _DONE = "change.json", "done"
_MOST_KEPT = 300

Content = bytes | Path | None
"""What a file becomes: bytes, a file that moves there, or nothing."""


@dataclass(frozen=True)
class PastChange:
    """A change that can be undone.

    Attributes:
        number: rises.
        what: for people, such as "Deleted 3 clips".
        time_s: seconds since 1970.
        places: files that it changed, relative to the studio's folder.
    """

    number: int
    what: str
    time_s: float
    places: tuple[str, ...]


class ChangeHistory:
    """The changes of one folder; not for several threads at once.

    Args:
        root: the studio's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / PLACE
        for entry in self._entries():
            if not (entry / _DONE).exists():
                self._take_back(entry, _read(entry))

    def past(self, most: int = _MOST_KEPT) -> list[PastChange]:
        """What can be undone, the newest first; only the logs of `most` changes are read."""
        return [_past(entry, _read(entry)) for entry in self._entries()[: -most - 1 : -1]]

    def find(self, number: int | None = None) -> PastChange:
        """A change that can be undone, the last one by default.

        Raises:
            NotThereError: there is no such change.
        """
        entry = self._entry(number)
        return _past(entry, _read(entry))

    def change(self, what: str, files: Mapping[Path, Content]) -> PastChange:
        """Makes files what they are to become, all or none.

        Args:
            what: for people.
            files: absolute paths -> what they become; a file that moves is to be given as None as well.

        Raises:
            TinymlError: a file cannot be written; all are then as before.
        """
        entries = self._entries()
        number = int(entries[-1].name) + 1 if entries else 1
        entry = self._folder / f"{number:06}"
        make_folder(entry)
        steps = [self._step(entry, index, path, new) for index, (path, new) in enumerate(files.items())]
        log = {"what": what, "time_s": time.time(), "files": steps}
        write_atomic(entry / _LOG, json.dumps(log, ensure_ascii=False))
        with undo.if_it_fails(functools.partial(self._take_back, entry, log)):
            for step, new in zip(steps, files.values(), strict=True):
                self._apply(entry, steps, self._root / step["place"], new)
        write_atomic(entry / _DONE, "")
        for old in entries[: -_MOST_KEPT + 1]:
            shutil.rmtree(old, ignore_errors=True)
        return _past(entry, log)

    def undo(self, number: int | None = None) -> PastChange:
        """Takes back a change, the last one by default; what it put away comes back.

        Raises:
            NotThereError: there is no such change.
            ConflictError: a file was changed again since.
        """
        entry = self._entry(number)
        log = _read(entry)
        for step in log["files"]:
            now = _digest(self._root / step["place"])
            if now not in (step["after"], step["before_sha256"]):
                raise ConflictError(
                    f"`{step['place']}` has been changed since, so this cannot be undone",
                    step["place"],
                    "Undo the later change first.",
                )
        self._take_back(entry, log)
        return _past(entry, log)

    def _entry(self, number: int | None) -> Path:
        entries = self._entries()
        wanted = entries[-1:] if number is None else [each for each in entries if int(each.name) == number]
        if not wanted:
            raise NotThereError("There is nothing to undo", "undo", "Reload the page.")
        return wanted[0]

    def _step(self, entry: Path, index: int, path: Path, new: Content) -> dict[str, Any]:
        """A line of the log, after the old file has been kept."""
        before = None
        if path.exists():
            before = str(index)
            _keep(path, entry / before)
        return {
            "place": path.relative_to(self._root).as_posix(),
            "before": before,
            "before_sha256": _digest(path),
            "after": _digest_of(new),
        }

    def _apply(self, entry: Path, steps: list[dict[str, Any]], path: Path, new: Content) -> None:
        if new is None:
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)
            return
        if isinstance(new, Path):
            place = new.relative_to(self._root).as_posix()
            kept = next(step["before"] for step in steps if step["place"] == place)
            make_folder(path.parent)
            _put(entry / kept, path)
            return
        write_atomic(path, new)

    def _take_back(self, entry: Path, log: Mapping[str, Any]) -> None:
        for step in log["files"]:
            path = self._root / step["place"]
            if step["before"] is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                _put(entry / step["before"], path)
            elif step["after"] is not None:
                path.unlink(missing_ok=True)
                _remove_if_empty(path.parent)
        shutil.rmtree(entry, ignore_errors=True)

    def _entries(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(each for each in self._folder.iterdir() if each.name.isdigit() and each.is_dir())


def _read(entry: Path) -> dict[str, Any]:
    """The log of a change; one that was never written has changed nothing."""
    try:
        found: dict[str, Any] = load_json(entry / _LOG, 64 << 20)
        return found
    except UnreadableError:
        return {"what": "", "time_s": 0.0, "files": []}


def _past(entry: Path, log: Mapping[str, Any]) -> PastChange:
    places = tuple(step["place"] for step in log["files"])
    return PastChange(int(entry.name), log["what"], log["time_s"], places)


def _digest(path: Path) -> str | None:
    return sha256_file(path) if path.is_file() else None


def _digest_of(new: Content) -> str | None:
    import hashlib

    if new is None:
        return None
    return sha256_file(new) if isinstance(new, Path) else hashlib.sha256(new).hexdigest()


def _keep(path: Path, kept: Path) -> None:
    """The same file under a second name; a copy where the file system has no such.

    Files of the studio are replaced, never written into, so that the second name keeps the old bytes.
    """
    try:
        os.link(path, kept)
    except OSError:
        shutil.copyfile(path, kept)


def _put(kept: Path, path: Path) -> None:
    """Puts a kept file in place, whole or not at all; it stays kept."""
    made = temporary.unused(path.parent)
    try:
        _keep(kept, made)
        made.replace(path)
    finally:
        temporary.remove(made)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
