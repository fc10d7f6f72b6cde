"""Layers: tar files that depend on names, modes and contents alone, compressed with gzip.

OCI image specification, layer.md.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

_GZIP = 31  # zlib: a gzip header, without time and name
_LEVEL = 3  # of 9: level 6 takes twice the time
_BLOCK_BYTES = 1 << 20

Opener = Callable[[], IO[bytes]]
Member = tuple[tarfile.TarInfo, Opener]
"""An entry of a tar, and what opens its content where it is a file."""


@dataclass(frozen=True)
class Layer:
    """A compressed layer.

    Attributes:
        digest: SHA-256 of its file.
        diff_id: SHA-256 of the tar in it.
        size: bytes of its file.
        media_type: of its file.
    """

    digest: str
    diff_id: str
    size: int
    media_type: str = "application/vnd.oci.image.layer.v1.tar+gzip"


class LayerFile:
    """Writes a compressed layer; takes the bytes of a tar."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._compress = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._tar, self._file = hashlib.sha256(), hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> int:
        """Takes some bytes more."""
        self._tar.update(data)
        self._put(self._compress.compress(data))
        return len(data)

    def finish(self) -> Layer:
        """Writes what is left; what the layer is called."""
        self._put(self._compress.flush())
        return Layer(self._file.hexdigest(), self._tar.hexdigest(), self._size)

    def _put(self, data: bytes) -> None:
        self._file.update(data)
        self._size += len(data)
        self._stream.write(data)


def write_layer(members: Iterable[Member], path: Path, total: int, what: str) -> Layer:
    """Writes a layer.

    Args:
        members: what it holds, in order.
        path: of the new file.
        total: how many members there are.
        what: is shown as the progress.
    """
    with path.open("wb") as stream, console.progress(total, what) as bar:
        layer = LayerFile(stream)
        sink: Any = layer  # tarfile asks for nothing but `write`
        with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK_BYTES) as tar:
            for info, open_content in members:
                if info.isreg():
                    with open_content() as content:
                        tar.addfile(info, content)
                else:
                    tar.addfile(info)
                bar.advance()
        return layer.finish()


def compress(tar: IO[bytes], path: Path, total_bytes: int, what: str) -> Layer:
    """Writes a layer from a tar that is there; its bytes stay as they are."""
    with path.open("wb") as stream, console.progress(total_bytes >> 20, what) as bar:
        layer = LayerFile(stream)
        while block := tar.read(_BLOCK_BYTES):
            bar.advance(layer.write(block) >> 20, "MB")
        return layer.finish()


def folder_members(
    folder: Path, names: Iterable[str], own: Callable[[str, tarfile.TarInfo], None]
) -> Iterator[Member]:
    """Some of what lies in a folder; links stay links, also those between equal files.

    Args:
        folder: where it lies.
        names: relative to it, in the order of the layer.
        own: may change the owner, mode and time of an entry, which it is told with its name.

    Raises:
        TinymlError: when it is opened, something that may not be read.
    """
    first_names: dict[tuple[int, int], str] = {}
    for name in names:
        path = folder / name
        state = path.lstat()
        info = tarfile.TarInfo(name)
        info.mode, info.mtime = stat.S_IMODE(state.st_mode), int(state.st_mtime)
        info.uid, info.gid = state.st_uid, state.st_gid
        own(name, info)
        key = (state.st_dev, state.st_ino)
        if stat.S_ISDIR(state.st_mode):
            info.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(state.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, path.readlink().as_posix()
        elif key in first_names:
            info.type, info.linkname = tarfile.LNKTYPE, first_names[key]
        else:
            info.size = state.st_size
            if state.st_nlink > 1:
                first_names[key] = name
        yield info, functools.partial(_opened, path)


def folder_names(folder: Path) -> list[str]:
    """Names of files, links and folders below a folder, sorted, folders before what they hold.

    Devices, pipes and sockets are no part of it.

    Raises:
        TinymlError: a folder that may not be read, or a name that is not UTF-8.
    """
    found = []

    def refuse(error: OSError) -> None:
        raise _unreadable(Path(error.filename), error)

    for parent, folders, files in os.walk(folder, onerror=refuse):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode) or stat.S_ISLNK(mode) or stat.S_ISREG(mode):
                found.append(path.relative_to(folder).as_posix())
    for name in found:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise TinymlError("A file's name is not UTF-8", ascii(name), "Rename or remove it.") from error
    return sorted(found, key=lambda name: name.split("/"))


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> TinymlError:
    return TinymlError(
        f"A file of the base cannot be read: {error.strerror}",
        str(path),
        "Give a tar of the folder, made by its owner: tar -C FOLDER -cf rootfs.tar .",
    )
