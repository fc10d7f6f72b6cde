"""Downloads a public data set, verifies it and unpacks it into a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tinyml_cli import interrupt, locks, temporary
from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.download import download_npm
from tinyml_cli.download.download_http import fetch, part_of, verify
from tinyml_cli.download.download_unpack import unpack
from tinyml_cli.download.public_datasets import Archive, PublicDataset, default_folder
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, write_atomic
from tinyml_cli.outcomes.data import Downloaded
from tinyml_cli.wording import counted

MARKER = "tinyml_dataset.json"
"""Lies in a folder that was downloaded completely, and says what it holds."""

# Room for folders and for files that end inside a block of the disk.
_SPARE_BYTES = 100 << 20


def download(dataset: PublicDataset, out: Path | None = None, mirror: str | None = None) -> Downloaded:
    """Downloads, verifies and unpacks a data set; what an earlier, cut off attempt left is used.

    Args:
        dataset: which.
        out: the folder it becomes, `default_folder` unless given. Beside it lie the archives until they are
            unpacked.
        mirror: a folder of archives at another address or on this computer.

    Raises:
        TinymlError: `out` holds something else or is not to be chosen, the disk is too small, or see `fetch`,
            `pack` and `unpack`.
    """
    if dataset.is_tool and out is not None:
        raise TinymlError(
            f"`{dataset.name}` goes to tinyml's own folder",
            "--out",
            "Omit it; the environment variable TINYML_CACHE moves that folder.",
        )
    folder = (out or default_folder(dataset)).absolute()
    if (files := _files_there(dataset, folder)) is not None:
        return _outcome(dataset, folder, files, 0, fresh=True)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TinymlError("The folder is not empty", str(folder), "Choose a new one with --out DIR.")
    _make(folder.parent)
    _check_disk(dataset, folder, mirror)
    # Not a lock inside the folder: it is put in place whole.
    with (
        locks.locked(folder.with_name(f"{folder.name}.download"), f"download of {dataset.name}"),
        interrupt.resumable("in the download; what has arrived is kept"),
    ):
        temporary.sweep(folder.parent)
        received, files = _fetch_and_unpack(dataset, folder, mirror)
    return _outcome(dataset, folder, files, received, fresh=False)


def _outcome(
    dataset: PublicDataset, folder: Path, files: int, received_bytes: int, fresh: bool
) -> Downloaded:
    return Downloaded(
        dataset=dataset.name,
        version=dataset.version,
        folder=str(folder),
        files=files,
        bytes=received_bytes,
        licence=dataset.licence,
        source=dataset.source,
        fresh=fresh,
    )


def _fetch_and_unpack(dataset: PublicDataset, folder: Path, mirror: str | None) -> tuple[int, int]:
    """(bytes that were downloaded now, files in the folder)."""
    received = 0
    archives = []
    for archive in dataset.archives:
        path, new_bytes = _obtain(archive, folder.parent, mirror)
        archives.append(path)
        received += new_bytes
    files = _unpack_all(dataset, archives, folder)
    for path in archives:
        # A mirror on this computer stays as it is.
        if path.parent == folder.parent and not _is_local(mirror):
            path.unlink()
    return received, files


def text(outcome: Downloaded) -> str:
    """The outcome of `download` for people."""
    name = f"{outcome.dataset} {outcome.version}"
    if outcome.fresh:
        return f"{outcome.folder} already contains {name}."
    return (
        f"{name}: {counted(outcome.files, 'file')} in {outcome.folder}\n"
        f"Licence {outcome.licence}; cite {outcome.source}."
    )


def _obtain(archive: Archive, folder: Path, mirror: str | None) -> tuple[Path, int]:
    """(the verified archive, bytes that were downloaded now)."""
    advice = "Delete it and run the same command again."
    if mirror is not None and _is_local(mirror):
        given = Path(mirror)
        path = given / archive.file_name if given.is_dir() else given
        if not path.is_file():
            raise TinymlError(f"{archive.file_name} does not exist", str(given), "Put the archive there.")
        verify(path, archive.size_bytes, archive.checksum, "Get it from another source.")
        return path, 0
    path = folder / archive.file_name
    if path.is_file():
        verify(path, archive.size_bytes, archive.checksum, advice)
        return path, 0
    if mirror is None and archive.url.startswith(download_npm.SCHEME):
        part = part_of(path)
        download_npm.pack(archive.url, part)
        verify(
            part, archive.size_bytes, archive.checksum, "Get the archive from another source.", remove=True
        )
        part.replace(path)
        return path, archive.size_bytes
    part = part_of(path)
    before = part.stat().st_size if part.is_file() else 0
    url = _address(archive, mirror)
    console.info(
        f"Resuming {url} at {before:,} of {archive.size_bytes:,} bytes"
        if before
        else f"Downloading {url} ({archive.size_bytes:,} bytes)"
    )
    fetch(url, path, archive.size_bytes, archive.checksum)
    return path, archive.size_bytes - before


def _address(archive: Archive, mirror: str | None) -> str:
    if mirror is None:
        return archive.url
    return mirror if mirror.endswith(archive.file_name) else f"{mirror.rstrip('/')}/{archive.file_name}"


def _is_local(mirror: str | None) -> bool:
    return mirror is not None and "://" not in mirror


def _unpack_all(dataset: PublicDataset, archives: list[Path], folder: Path) -> int:
    """Unpacks the archives, which are kept when that fails; returns the number of files."""
    with atomic_folder(folder) as inside:
        files = sum(
            unpack(path, inside, archive.unpacked_bytes)
            for path, archive in zip(archives, dataset.archives, strict=True)
        )
        marker = {
            "dataset": dataset.name,
            "version": dataset.version,
            "files": files,
            "sha256": [archive.checksum for archive in dataset.archives],
        }
        write_atomic(inside / MARKER, json.dumps(marker, indent=2) + "\n")
    return files


def _check_disk(dataset: PublicDataset, folder: Path, mirror: str | None) -> None:
    needed = _SPARE_BYTES + sum(archive.unpacked_bytes for archive in dataset.archives)
    if not _is_local(mirror):
        for archive in dataset.archives:
            path = folder.parent / archive.file_name
            there = [p.stat().st_size for p in (path, part_of(path)) if p.is_file()]
            needed += archive.size_bytes - min(max(there, default=0), archive.size_bytes)
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise TinymlError(
            f"The disk has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed, including the archive",
            str(folder.parent),
            "Free some space, or choose a folder on another disk with --out DIR.",
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TinymlError(
            f"Cannot create the folder: {error.strerror or error}",
            str(folder),
            "Choose another folder with --out DIR.",
        ) from error


def _files_there(dataset: PublicDataset, folder: Path) -> int | None:
    """How many files of this very data set the folder's marker tells of; None without such a marker."""
    try:
        marker = load_json(folder / MARKER)
    except UnreadableError:
        return None
    if not isinstance(marker, dict) or marker.get("sha256") != [each.checksum for each in dataset.archives]:
        return None
    files = marker.get("files")
    return files if isinstance(files, int) else None
