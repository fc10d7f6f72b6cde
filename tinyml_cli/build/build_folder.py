"""The folder in which PlatformIO builds: in the user's cache, with names that do not depend on the run's.

SCons treats a `$` in any path as a variable of its own, and passes its commands to a shell. So no path chosen
by the user may reach it: a run's project is written again here, and the program is copied back.

Runs that differ only in the model share one folder, so a new run compiles little but its model.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir

# Windows has "Program Files (x86)", and its shell takes these two as they are.
_PLAIN = re.compile(r"[\w ./\\:+@()-]*" if sys.platform == "win32" else r"[\w ./:+@-]*")


@contextlib.contextmanager
def build_folder(key: str) -> Iterator[Path]:
    """A folder to build in, which no other process uses meanwhile; it may hold what was built there before.

    Args:
        key: hash of what two builds must have in common to share a folder.

    Raises:
        TinymlError: the cache has a path that SCons would misread, or cannot be written.
    """
    root = builds_dir()
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder, lock = next(_free(root, key))
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise TinymlError(
            f"Cannot write to the cache folder ({error.strerror or error})",
            str(root),
            "Make it writable, or set TINYML_CACHE to another folder.",
        ) from error
    try:
        yield folder
    finally:
        lock.release()


def builds_dir() -> Path:
    """The folder of all build folders.

    Raises:
        TinymlError: its path holds characters that SCons would misread.
    """
    cache = cache_dir().resolve()
    check_plain(cache, "cache folder", "Set the environment variable TINYML_CACHE to another folder.")
    return cache / "platformio" / "builds"


def check_plain(path: Path, what: str, advice: str) -> None:
    """Checks that SCons and a shell take a path as it is.

    Raises:
        TinymlError: they would not.
    """
    odd = sorted({character for character in path.as_posix() if not _PLAIN.fullmatch(character)})
    if odd:
        raise TinymlError(
            f"The path of the {what} contains characters that the build tool SCons misreads "
            f"({' '.join(ascii(character) for character in odd)})",
            str(path),
            advice,
        )


def _free(root: Path, key: str) -> Iterator[tuple[Path, FileLock]]:
    """Folders that nobody uses, each locked."""
    for number in itertools.count():
        folder = root / f"{key}-{number}"
        lock = FileLock(root / f"{folder.name}.lock")
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            yield folder, lock
