"""Public data sets: their origin, the expected bytes, and their way into a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import interrupt, locks, temporary
from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.download import download_npm
from tinyml_cli.download.download_http import fetch, part_of, verify
from tinyml_cli.download.download_unpack import unpack
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, cache_dir, write_atomic
from tinyml_cli.wording import counted

MARKER = "tinyml_dataset.json"
"""Lies in a folder that was downloaded completely, and says what it holds."""

# Room for folders and for files that end inside a block of the disk.
_SPARE_BYTES = 100 << 20


@dataclass(frozen=True)
class Archive:
    """A file to download, pinned.

    Attributes:
        url: where its publisher keeps it; `npm:NAME@VERSION` where that is a package for Node.
        size_bytes: its size.
        sha256: of its bytes, in hex.
        unpacked_bytes: at most so much lies in it: for the check of the disk, and against endless archives.
    """

    url: str
    size_bytes: int
    sha256: str
    unpacked_bytes: int

    @property
    def file_name(self) -> str:
        """The last part of its address."""
        if self.url.startswith(download_npm.SCHEME):
            return download_npm.archive_name(self.url)
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublicDataset:
    """A data set in one version.

    Attributes:
        name: as it is typed.
        version: as it is typed; the first of a name is the default.
        description: one line.
        licence: SPDX identifier, or words where there is none.
        source: the publication to cite.
        folder: name of the folder it goes to by default.
        archives: what it consists of, all unpacked into that folder.
        is_tool: it is no data to train on but a part of tinyml, and goes to tinyml's own folder.
    """

    name: str
    version: str
    description: str
    licence: str
    source: str
    folder: str
    archives: tuple[Archive, ...]
    is_tool: bool = False


_SPEECH_COMMANDS = "P. Warden, arXiv:1804.03209"
_TENSORFLOW = "https://storage.googleapis.com/download.tensorflow.org/data"
# A one-second clip fills at most eight blocks of 4 KiB.
_CLIP_BYTES = 32_768

# COCO 2014 has 123,287 images for training and validation; a small one fills two blocks of the disk at most.
_VWW_IMAGES, _SMALL_IMAGE_BYTES = 123_287, 8192

# SHA-256 as TensorFlow Datasets and torchaudio publish them for the speech, and MLPerf EDU for the images.
# That of the voices is of the archive with the SHA-512 that npm publishes.
DATASETS = (
    PublicDataset(
        "speech-commands",
        "v0.02",
        "105,829 one-second clips of 35 words, with lists for validation and testing",
        "CC-BY-4.0",
        _SPEECH_COMMANDS,
        "speech_commands_v0.02",
        (
            Archive(
                f"{_TENSORFLOW}/speech_commands_v0.02.tar.gz",
                2_428_923_189,
                "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
                105_829 * _CLIP_BYTES,
            ),
        ),
    ),
    PublicDataset(
        "vww",
        "coco2014-96",
        "MLPerf Tiny's visual wake words: 96 x 96 images with and without a person",
        "COCO terms of use; each photograph has its own licence",
        "A. Chowdhery et al., arXiv:1906.05721; C. Banbury et al., arXiv:2106.07597",
        "vww_coco2014_96",
        (
            Archive(
                "https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/"
                "vw_coco2014_96.tar.gz",
                234_810_765,
                "f8746b9e44f8a7a4293f73be9ba6e8da9239fe69798d42364aae62b915cfab58",
                _VWW_IMAGES * _SMALL_IMAGE_BYTES,
            ),
        ),
    ),
    PublicDataset(
        "kokoro",
        "1.2.1",
        "54 voices of the speech engine Kokoro-82M; its weights come with the extra `kokoro`",
        "Apache-2.0",
        "hexgrad, Kokoro-82M v1.0",
        "kokoro-js-1.2.1",
        (
            Archive(
                "npm:kokoro-js@1.2.1",
                26_887_218,
                "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
                40_000_000,
            ),
        ),
        is_tool=True,
    ),
)


def available() -> dict[str, Any]:
    """Every data set: `datasets`, each `name`, `version`, `description`, `bytes` to download, `licence`."""
    rows = [
        {
            "name": d.name,
            "version": d.version,
            "description": d.description,
            "bytes": sum(archive.size_bytes for archive in d.archives),
            "licence": d.licence,
        }
        for d in DATASETS
    ]
    return {"datasets": rows}


def show_available(document: dict[str, Any]) -> None:
    """The table of `available` for people."""
    rows = [
        (d["name"], d["version"], f"{d['bytes'] / 1e9:.1f} GB", d["licence"], d["description"])
        for d in document["datasets"]
    ]
    console.table("Datasets", ("name", "version", "download", "licence", "what"), rows)


def find(name: str, version: str | None = None) -> PublicDataset:
    """A data set of the table; the newest version by default.

    Raises:
        TinymlError: there is none of that name or version.
    """
    same = [dataset for dataset in DATASETS if dataset.name == name]
    if not same:
        names = ", ".join(dict.fromkeys(d.name for d in DATASETS))
        raise TinymlError(f"Unknown dataset `{name}`", "tinyml data download", f"Choose from: {names}.")
    for dataset in same:
        if version in (None, dataset.version):
            return dataset
    versions = ", ".join(dataset.version for dataset in same)
    raise TinymlError(f"`{name}` has no version `{version}`", "--version", f"Choose from: {versions}.")


def default_folder(dataset: PublicDataset) -> Path:
    """Where a data set goes unless it is said."""
    return cache_dir() / dataset.folder if dataset.is_tool else Path(dataset.folder)


def download(dataset: PublicDataset, out: Path | None = None, mirror: str | None = None) -> dict[str, Any]:
    """Downloads, verifies and unpacks a data set; what an earlier, cut off attempt left is used.

    Args:
        dataset: which.
        out: the folder it becomes, `default_folder` unless given. Beside it lie the archives until they are
            unpacked.
        mirror: a folder of archives at another address or on this computer.

    Returns:
        dataset, version, folder, files, bytes (downloaded now), licence, source, fresh (it was there).

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
    document: dict[str, Any] = {"dataset": dataset.name, "version": dataset.version, "folder": str(folder)}
    about = {"licence": dataset.licence, "source": dataset.source}
    if (known := _marker(folder)) is not None and _is_marked(known, dataset):
        return {**document, "files": known["files"], "bytes": 0, **about, "fresh": True}
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
    return {**document, "files": files, "bytes": received, **about, "fresh": False}


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


def text(document: dict[str, Any]) -> str:
    """The outcome of `download` for people."""
    if document["fresh"]:
        return f"{document['folder']} already contains {document['dataset']} {document['version']}."
    return (
        f"{document['dataset']} {document['version']}: {counted(document['files'], 'file')} in "
        f"{document['folder']}\n"
        f"Licence {document['licence']}; cite {document['source']}."
    )


def _obtain(archive: Archive, folder: Path, mirror: str | None) -> tuple[Path, int]:
    """(the verified archive, bytes that were downloaded now)."""
    advice = "Delete it and run the same command again."
    if mirror is not None and _is_local(mirror):
        given = Path(mirror)
        path = given / archive.file_name if given.is_dir() else given
        if not path.is_file():
            raise TinymlError(f"{archive.file_name} does not exist", str(given), "Put the archive there.")
        verify(path, archive.size_bytes, archive.sha256, "Get it from another source.")
        return path, 0
    path = folder / archive.file_name
    if path.is_file():
        verify(path, archive.size_bytes, archive.sha256, advice)
        return path, 0
    if mirror is None and archive.url.startswith(download_npm.SCHEME):
        part = part_of(path)
        download_npm.pack(archive.url, part)
        verify(part, archive.size_bytes, archive.sha256, "Get the archive from another source.", remove=True)
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
    fetch(url, path, archive.size_bytes, archive.sha256)
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
            "sha256": [archive.sha256 for archive in dataset.archives],
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


def _marker(folder: Path) -> dict[str, Any] | None:
    try:
        document = load_json(folder / MARKER)
    except UnreadableError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("files"), int) else None


def _is_marked(marker: dict[str, Any], dataset: PublicDataset) -> bool:
    return marker.get("sha256") == [archive.sha256 for archive in dataset.archives]
