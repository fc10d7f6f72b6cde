"""Atomic file writes, hashes, and the location of packaged data."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_cli import locks, temporary, undo
from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary sibling of `path`; renames it to `path` when the block ends well.

    A killed or failed writer leaves the old file as it was.

    Raises:
        TinymlError: no space on the disk, or the folder cannot be written.
    """
    path = Path(path)
    try:
        locks.check_present(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = temporary.sibling(path)
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        yield made
        with made.open("rb+") as stream:
            os.fsync(stream.fileno())
        # mkstemp gives 0600; an artifact is as readable as any file its owner makes.
        made.chmod(0o666 & ~_umask())
        made.replace(path)
    except OSError as error:
        locks.check_present(path)
        raise disk_error(error, path) from error
    finally:
        temporary.remove(made)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder beside `path`, which takes its place when the block ends well.

    A process that is killed between the two renames of that leaves the rest to `temporary.sweep`.

    Raises:
        TinymlError: no space on the disk, or the folder cannot be written.
    """
    missing = missing_parents(path)
    try:
        locks.check_present(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.folder(temporary.EXCHANGE, beside=path) as name:
            made = Path(name) / temporary.NEW / path.name
            made.mkdir(parents=True)
            yield made
            try:
                with contextlib.suppress(FileNotFoundError):
                    path.rename(Path(name) / temporary.OLD)
                made.rename(path)
            except BaseException:
                temporary.finish_exchange(Path(name))
                raise
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        remove_empty(missing)


@contextlib.contextmanager
def writing_folder(
    path: Path, what: str = "data folder", wait: bool = False, lock: Path | None = None
) -> Iterator[None]:
    """Holds the lock of a folder while a command writes to it; what killed writers left is removed.

    A folder that is not there yet is made, and removed again if it stays empty.

    Args:
        path: the folder.
        what: it is, for the message of a second writer.
        wait: for another process that writes to it, instead of being refused.
        lock: a folder above it that is locked in its place.

    Raises:
        TinymlError: another process writes to it; it cannot be written, or was removed meanwhile.
    """
    locks.check_present(path)
    made = make_folder(path)
    try:
        with (
            undo.if_it_fails(functools.partial(remove_empty, made)),
            locks.locked(lock or path, what, wait),
        ):
            temporary.sweep((lock or path).resolve(), deep=True)
            temporary.sweep_shared((lock or path).resolve().parent)
            yield
    finally:
        remove_empty(made)


@contextlib.contextmanager
def filling_cache(path: Path, what: str, wait: bool = True) -> Iterator[None]:
    """Around making what is to lie at `path`, in a cache say: another process that makes it is waited for.

    Look again inside whether it is there.

    Args:
        path: of the file.
        what: it is, for the line that says what is waited for, such as "synthetic speech".
        wait: False refuses instead.

    Raises:
        TinymlError: the folder cannot be written, or another process makes the same.
    """
    missing = make_folder(path.parent)
    try:
        with locks.locked(path, what, wait):
            temporary.sweep(path.parent)
            yield
    finally:
        remove_empty(missing)


def make_folder(path: Path) -> list[Path]:
    """Makes a folder and its parents; those that were not there, the innermost first.

    Raises:
        TinymlError: it cannot be made.
    """
    missing = [*([] if path.exists() else [path]), *missing_parents(path)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    return missing


def missing_parents(path: Path) -> list[Path]:
    """The folders above a path that are not there yet, the innermost first: what making it leaves besides."""
    return [folder for folder in path.parents if not folder.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Removes those folders that hold nothing, in this order."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def write_atomic(path: Path, content: bytes | str) -> None:
    """Writes `content` (text as UTF-8 with `\\n` line ends) to `path`, whole or not at all."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_path(path) as made:
        made.write_bytes(data)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays to a compressed .npz file by their names, whole or not at all."""
    import numpy as np

    with atomic_path(path) as made, made.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def write_if_changed(path: Path, content: bytes | str) -> bool:
    """Like write_atomic, but leaves an equal file untouched; returns whether it wrote.

    Build tools compare modification times, so an unchanged file must keep its own.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    write_atomic(path, data)
    return True


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that is not there yet, whole or not at all.

    Raises:
        TinymlError: something is there already, or it cannot be written.
    """
    if path.exists() or path.is_symlink():
        raise TinymlError("The file already exists; nothing was written", str(path), "Choose another name.")
    write_atomic(path, content)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    import hashlib

    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder, links themselves counted; what goes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def runs_dir() -> Path:
    """The folder that holds the runs: $TINYML_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("TINYML_RUNS") or "runs")


def cache_dir() -> Path:
    """The user's cache folder for fetched sources and synthesised data (TINYML_CACHE overrides)."""
    if override := os.environ.get("TINYML_CACHE"):
        return Path(override)
    from platformdirs import user_cache_path

    return user_cache_path("tinyml", appauthor=False, opinion=False)


def firmware_dir() -> Path:
    """The folder `firmware/`: beside the package in a checkout, inside it in an installed wheel."""
    return _packaged("firmware")


def configs_dir() -> Path:
    """The folder `configs/` with one recipe per model."""
    return _packaged("configs")


def course_dir() -> Path:
    """The folder `docs/course/` with one page per chapter."""
    return _packaged("docs/course")


def _packaged(name: str) -> Path:
    """A folder of the repository, which is `_NAME`, by its last part, in an installed package."""
    package = Path(__file__).resolve().parent
    for candidate in (package / f"_{Path(name).name}", package.parent / name):
        if candidate.is_dir():
            return candidate
    raise TinymlError(
        f"The folder `{name}` is missing from the installation",
        str(package),
        "Reinstall it: pip install --force-reinstall tinyml-cli",
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def disk_error(error: OSError, path: Path) -> TinymlError:
    """The error of a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TinymlError(
            "No space left on the disk; nothing was overwritten",
            str(path),
            "Free some space and run the same command again.",
        )
    if error.errno == errno.EFBIG:
        return TinymlError(
            "The file is larger than its disk or this user's limit allows; nothing was overwritten",
            str(path),
            "Raise the limit (ulimit -f), or choose a folder on another disk.",
        )
    return TinymlError(
        f"Cannot write: {error.strerror or error}",
        str(path),
        "Make the folder writable, or choose another one.",
    )
