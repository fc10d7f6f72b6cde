"""Temporary files and folders: one naming scheme, so that those of killed processes can be found.

The name is `tinyml-PURPOSE-PID-RANDOM`, with a leading dot beside a user's files. A file counts as left
behind when its name says that it is ours, the user owns it and its process is gone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tempfile

EXCHANGE = "exchange"
"""The purpose of a temporary folder that holds a folder that is to take the place of another."""

NEW, OLD = "new", "old"
"""Where they lie in it."""

_LEFT_BEHIND_S = 3600
_NAME = re.compile(r"\.?tinyml-[a-z]+-(\d{1,10})-[a-z0-9_]{8}(\..*)?", re.DOTALL)
_MAX_SUFFIX = 32
# PlatformIO's objects: thousands of files, none of them ours.
_NOT_OURS = {".pio", ".git"}
# Each folder that was looked through, and whether its lock was held.
_swept: set[tuple[Path, bool]] = set()
# What this process made: to be removed where it ends in the middle.
_made: set[Path] = set()


def prefix(purpose: str) -> str:
    """What the name of a temporary file begins with; `purpose` is a lower-case word."""
    return f"tinyml-{purpose}-{os.getpid()}-"


def unused(place: Path) -> Path:
    """A hidden name in a folder, for what cannot be made under a random name at once, such as a link."""
    return _noted(place / f".{prefix('part')}{os.urandom(4).hex()}")


def folder(purpose: str, beside: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that goes when its `with` block ends: hidden beside a path, else in $TMPDIR."""
    import tempfile

    if beside is None:
        sweep_shared(system_folder())
    start, place = (prefix(purpose), None) if beside is None else (f".{prefix(purpose)}", beside.parent)
    made = tempfile.TemporaryDirectory(prefix=start, dir=place, ignore_cleanup_errors=True)
    if (handle := _lock(Path(made.name))) is not None:
        weakref.finalize(made, os.close, handle)
    _noted(Path(made.name))
    return made


def sibling(path: Path) -> Path:
    """An empty file with a hidden name beside `path`, with its suffix: writers choose a format by it.

    Raises:
        OSError: it cannot be made.
    """
    import tempfile

    suffix = path.suffix if len(path.suffix) <= _MAX_SUFFIX else ""
    handle, name = tempfile.mkstemp(prefix=f".{prefix('part')}", suffix=suffix, dir=path.parent)
    os.close(handle)
    return _noted(Path(name))


def keep_to_own_folder() -> None:
    """Gives this process a folder of its own in $TMPDIR, removed when it ends.

    TensorFlow writes `__autograph_generated_file*` to $TMPDIR, and what a killed process leaves of them
    cannot be told from other programs' files.
    """
    import tempfile

    if tempfile.tempdir is None or not _NAME.fullmatch(Path(tempfile.tempdir).name):
        sweep_shared(system_folder())
        system = tempfile.gettempdir()
        tempfile.tempdir = tempfile.mkdtemp(prefix=prefix("process"), dir=system)
        _lock(_noted(Path(tempfile.tempdir)))
        atexit.register(_leave_own_folder, system, os.getpid())


def _leave_own_folder(system: str, process: int) -> None:
    import tempfile

    if os.getpid() == process:  # A forked child runs the same handlers.
        tempfile.tempdir = system
        remove_own()


def remove_own() -> None:
    """Removes all temporary files and folders of this process that are still there: it ends now."""
    while _made:
        remove(next(iter(_made)))


def system_folder() -> Path:
    """$TMPDIR itself, for what shall outlive this process."""
    import tempfile

    folder = Path(tempfile.gettempdir())
    return folder.parent if _NAME.fullmatch(folder.name) else folder


def sweep(place: Path, deep: bool = False) -> None:
    """Removes what killed processes left in a folder whose lock is held, and in $TMPDIR.

    Under the lock nobody else writes there, so what a dead process left may go at once.

    Args:
        place: the folder.
        deep: in the folders below it, too.
    """
    sweep_shared(system_folder())
    if (place, True) in _swept:
        return
    _swept.add((place, True))
    for parent, folders, names in os.walk(place):
        _remove_left_behind(Path(parent), [*folders, *names], 0)
        if not deep:
            break
        folders[:] = [name for name in folders if name not in _NOT_OURS]


def sweep_shared(place: Path) -> None:
    """Removes what killed processes left in a folder that has no lock, such as $TMPDIR.

    Containers with processes of their own may meet there: a folder goes at once where nobody holds the lock
    in it, and anything else when it is older than an hour.
    """
    if (place, False) not in _swept:
        _swept.add((place, False))
        with contextlib.suppress(OSError):
            _remove_left_behind(place, [path.name for path in place.iterdir()], _LEFT_BEHIND_S)


def finish_exchange(folder: Path) -> None:
    """Moves the whole folder in `NEW` to its place, if the other one is in `OLD` by now."""
    if not folder.name.startswith(f".tinyml-{EXCHANGE}-") or not (folder / OLD).is_dir():
        return
    for made in (folder / NEW).iterdir():
        place = folder.parent / made.name
        for candidate in (made, folder / OLD):
            with contextlib.suppress(OSError):
                if not place.exists():
                    candidate.rename(place)


def is_running(process: int) -> bool:
    """Whether a process of this computer lives."""
    if sys.platform == "win32":  # Signal 0 would end it there.
        import ctypes

        synchronize, still_running = 0x0010_0000, 0x102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, process)
        if not handle:
            return False
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == still_running)
        finally:
            kernel.CloseHandle(handle)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove_left_behind(parent: Path, names: list[str], age_s: float) -> None:
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None or is_running(int(match[1])):
            continue
        path = parent / name
        with contextlib.suppress(OSError):
            state = path.lstat()
            is_mine = sys.platform == "win32" or state.st_uid == os.getuid()
            is_old = time.time() - state.st_mtime >= age_s
            let_go = _is_let_go(path)
            if is_mine and (is_old if let_go is None else let_go):
                remove(path)


def _lock(folder: Path) -> int | None:
    """Locks a folder until the descriptor is closed or the process ends; None where that cannot be."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks, or somebody else's lock
        os.close(handle)
        return None
    return handle


def _is_let_go(folder: Path) -> bool | None:
    """Whether no process holds a folder's lock any more; None where that cannot be told."""
    if sys.platform == "win32" or not folder.is_dir() or folder.is_symlink():
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    finally:
        os.close(handle)
    return True


def remove(path: Path) -> None:
    """Removes a temporary file or folder, where it is still there; an exchange that was begun is finished."""
    import shutil

    _made.discard(path.absolute())
    with contextlib.suppress(OSError):
        finish_exchange(path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _noted(path: Path) -> Path:
    _made.add(path.absolute())
    return path
