"""One writer at a time: a lock on a folder or a file, and a note next to it that names the holder.

The operating system releases a lock when its process ends, however that happens, so a lone note is void.
Readers take no lock.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    from filelock import FileLock

NAMES = (".lock", ".lock.json")
"""What a locked folder holds beside its content: the lock, and the note."""

_REFUSE_AFTER_S = 1.0
_POLL_S = 0.05
_MAX_COMMAND = 100
# What file systems answer that cannot lock: some network drives, some of FUSE.
_CANNOT_LOCK = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}

_Identity = tuple[int, int]


@dataclass(frozen=True)
class Holder:
    """The process that writes to a folder."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} (`{self.command}`)"


@dataclass(frozen=True)
class _Files:
    lock: Path
    note: Path

    @classmethod
    def of(cls, path: Path) -> _Files:
        lock, note = NAMES
        if path.is_dir():
            return cls(path / lock, path / note)
        return cls(path.with_name(f".{path.name}{lock}"), path.with_name(f".{path.name}{note}"))


# Held by this process: resolved path -> the folder's identity, None for a file.
_held: dict[Path, _Identity | None] = {}
_told: set[str] = set()


@contextlib.contextmanager
def locked(path: Path, what: str, wait: bool = False) -> Iterator[None]:
    """Holds the lock of an existing folder, or of a file that is to be made; may be taken again inside.

    Args:
        path: the folder, which must stay where it is, or the file.
        what: it is, to be read after "The": "run", "synthetic speech".
        wait: for the other process, with a line; else this one is refused within two seconds.

    Raises:
        TinymlError: another process holds it; the folder cannot be written, or was removed or renamed
            meanwhile.
    """
    key = path.resolve()
    if key in _held:
        yield
        return
    files = _Files.of(key)
    lock = _acquire(files, path, what, wait)
    identity = _held[key] = _identity(key) if key.is_dir() else None
    try:
        with contextlib.suppress(OSError):
            note = {"pid": os.getpid(), "command": _command()}
            files.note.write_text(json.dumps(note) + "\n", encoding="utf-8", newline="\n")
        yield
        check_present(key)
    finally:
        del _held[key]
        _release(files, lock, identity is None or _identity(key) == identity)


def holder_of(path: Path) -> Holder | None:
    """Who says to be writing there, if anybody; the note of a killed process stays until the next writer."""
    return _read_note(_Files.of(path).note)


def remove_notes() -> None:
    """Removes the notes of all locks that are held: the process ends now."""
    for path in list(_held):
        files = _Files.of(path)
        _remove(files.note, files.lock)


def check_present(path: Path) -> None:
    """Refuses a path in a folder that was removed, renamed or replaced since this process took its lock.

    Writing there would make the folder again, without what it held before.

    Raises:
        TinymlError: it is another folder now.
    """
    if not _held:
        return
    path = path.resolve()
    for folder, identity in list(_held.items()):
        if identity is not None and path.is_relative_to(folder) and _identity(folder) != identity:
            raise TinymlError(
                "The folder was removed or renamed while this command was writing to it",
                str(folder),
                "Nothing more was written. Run the command again.",
            )


def _acquire(files: _Files, path: Path, what: str, wait: bool) -> FileLock | None:
    """The lock; None where the file system has none."""
    from filelock import FileLock, Timeout

    lock = FileLock(files.lock, thread_local=False, poll_interval=_POLL_S, fallback_to_soft=False)
    try:
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=_REFUSE_AFTER_S)
            return lock
        holder = _read_note(files.note)
        if not wait:
            raise _in_use(path, what, holder)
        console.info(f"Waiting for {holder or 'another process'}, which is writing the {what}.")
        lock.acquire(timeout=-1)
        return lock
    except OSError as error:
        if error.errno in _CANNOT_LOCK:
            _warn_once(
                f"{path.parent}: this file system does not support locks; run only one command at a time"
            )
            return None
        raise TinymlError(
            f"Cannot write: {error.strerror or error}",
            str(path),
            "Make the folder writable, or choose another one.",
        ) from error


def _in_use(path: Path, what: str, holder: Holder | None) -> TinymlError:
    advice = "Wait until it ends"
    if holder is not None and os.name == "posix":
        advice += f", or stop it: kill {holder.pid}"
    return TinymlError(
        f"The {what} is in use: {holder or 'another process'} is writing to it",
        str(path),
        f"{advice}.",
    )


def _release(files: _Files, lock: FileLock | None, is_present: bool) -> None:
    # Removed while it is held: who waits for the removed file notices, and opens the new one.
    if is_present:
        _remove(files.note, files.lock)
    if lock is not None:
        lock.release()
        if is_present and os.name == "nt":  # An open file cannot be removed there.
            _remove(files.lock)


def _remove(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _read_note(note: Path) -> Holder | None:
    try:
        document = json.loads(note.read_text(encoding="utf-8"))
        return Holder(int(document["pid"]), str(document["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _command() -> str:
    command = " ".join(shlex.join(["tinyml", *sys.argv[1:]]).split())
    return command if len(command) <= _MAX_COMMAND else f"{command[: _MAX_COMMAND - 1]}…"


def _identity(path: Path) -> _Identity | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _warn_once(text: str) -> None:
    if text not in _told:
        _told.add(text)
        console.warn(text)
