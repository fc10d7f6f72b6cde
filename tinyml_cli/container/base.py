"""The base of an image: a root file system as a folder or a tar, or an image in an OCI layout or archive."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.container import layers, oci
from tinyml_cli.container.contents import BaseContents, architecture_here
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import folder_bytes

_WHERE = "--base"
_OF_THE_KERNEL = ("dev/", "proc/", "sys/")  # filled where the container runs
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError)
_MAKE_ONE = "Make one: tinyml container base"


@dataclass(frozen=True)
class Base:
    """A base that was read once, from end to end.

    Attributes:
        contents: the files in it.
        settings: how containers of it are started.
        write: writes its layers into a layout; returns them, the lowest first.
    """

    contents: BaseContents
    settings: oci.RunSettings
    write: Callable[[oci.LayoutWriter], list[layers.Layer]]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Base]:
    """The base at a path.

    Raises:
        TinymlError: it is something else, damaged, or may not be read.
    """
    checks.data(path, _WHERE)
    with archive_at(path) as archive:
        layout = oci.Layout.at(path, archive)
        if layout is not None:
            yield _of_image(layout)
        elif archive is None:
            yield _of_folder(path)
        elif "manifest.json" in archive.getnames():
            raise TinymlError(
                "The base is an archive of Docker's own format",
                str(path),
                "Save it as an OCI archive: skopeo copy docker-archive:FILE oci-archive:base.tar",
            )
        else:
            yield _of_tar(path, archive)


@contextlib.contextmanager
def archive_at(path: Path) -> Iterator[tarfile.TarFile | None]:
    """The tar at a path, compressed or not, read to its end; None for a folder.

    Raises:
        TinymlError: something else, or damaged.
    """
    if path.is_dir():
        yield None
        return
    try:
        archive = tarfile.open(path, "r:*")  # noqa: SIM115 - closed below
        archive.getmembers()
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TinymlError(
            "The base is no folder, no tar and no OCI archive, or it is damaged", str(path), _MAKE_ONE
        ) from error
    with archive:
        yield archive


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return path.stat().st_size if path.is_file() else folder_bytes(path)


def _of_folder(path: Path) -> Base:
    contents = BaseContents(path)
    names = [name for name in layers.folder_names(path) if not name.startswith(_OF_THE_KERNEL)]
    members = functools.partial(layers.folder_members, path, names, _of_root)
    for info, open_content in members():
        contents.add(info, open_content)

    def write(layout: oci.LayoutWriter) -> list[layers.Layer]:
        written = layers.write_layer(members(), layout.new_blob(), len(names), "compressing the base")
        layout.keep(written.digest)
        return [written]

    return Base(contents, oci.RunSettings(), write)


def _opener(archive: tarfile.TarFile, member: tarfile.TarInfo) -> layers.Opener:
    return functools.partial(archive.extractfile, member)  # type: ignore[return-value]  # of a regular file


def _of_root(name: str, info: tarfile.TarInfo) -> None:
    """Files of whoever runs the command count as root's, as if root had unpacked the folder."""
    if hasattr(os, "getuid") and info.uid == os.getuid():
        info.uid = info.gid = 0


def _of_tar(path: Path, archive: tarfile.TarFile) -> Base:
    contents = BaseContents(path)
    for member in archive:
        contents.add(member, _opener(archive, member))

    def write(layout: oci.LayoutWriter) -> list[layers.Layer]:
        assert archive.fileobj is not None  # decompresses, where the tar is compressed
        archive.fileobj.seek(0)
        tar: Any = archive.fileobj
        written = layers.compress(tar, layout.new_blob(), archive.offset, "compressing the base")
        layout.keep(written.digest)
        return [written]

    return Base(contents, oci.RunSettings(), write)


def _of_image(layout: oci.Layout) -> Base:
    _, manifest, config = layout.image(architecture_here())
    if config.os != "linux":
        raise TinymlError(f"The base is an image for {config.os}", str(layout.path), _MAKE_ONE)
    if config.config.labels.get(oci.TITLE) == oci.NAME:
        raise TinymlError(
            "The base holds tinyml already", str(layout.path), "Give the base that it was built on."
        )
    contents = BaseContents(layout.path)
    diff_ids = [each.removeprefix("sha256:") for each in config.rootfs.diff_ids]
    blobs = list(zip(manifest.layers, diff_ids, strict=True))
    with console.progress(len(blobs), "reading the base's layers") as bar:
        for blob, diff_id in blobs:
            _read_layer(layout, blob, diff_id, contents)
            bar.advance()

    def write(target: oci.LayoutWriter) -> list[layers.Layer]:
        written = []
        for blob, diff_id in blobs:
            with target.new_blob().open("wb") as stream:
                layout.copy(blob, stream)
            digest = blob.digest.removeprefix("sha256:")
            target.keep(digest)
            kind = "tar" if blob.media_type.endswith("tar") else "tar+gzip"
            written.append(
                layers.Layer(digest, diff_id, blob.size, f"application/vnd.oci.image.layer.v1.{kind}")
            )
        return written

    return Base(contents, config.config, write)


class _Hashed:
    """A stream that remembers the hash of what was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


def _read_layer(layout: oci.Layout, blob: oci.Descriptor, diff_id: str, contents: BaseContents) -> None:
    if not blob.media_type.endswith(("tar", "tar+gzip", "tar.gzip")):
        raise TinymlError(
            f"A layer of the base is compressed in a way that is not read here: `{blob.media_type}`",
            str(layout.path),
            "Save it with gzip: skopeo copy --dest-compress-format gzip …",
        )
    try:
        with layout.open(blob.blob) as file, contextlib.ExitStack() as stack:
            plain: Any = file if blob.media_type.endswith("tar") else stack.enter_context(gzip.open(file))
            stream: Any = _Hashed(plain)
            contents.begin_layer()
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    contents.add(member, _opener(archive, member))
            while stream.read(1 << 20):  # what follows the tar's end belongs to its hash
                pass
    except _DAMAGE as error:
        raise layout.damaged(f"layer `{blob.blob}`: {error}") from error
    if stream.digest.hexdigest() != diff_id:
        raise layout.damaged(f"the tar in layer `{blob.blob}` is not the one that its settings name")
