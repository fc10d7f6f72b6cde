"""Unpacks archives completely or not at all, and never outside their folder."""

from __future__ import annotations

import errno
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

_BLOCK_BYTES = 1 << 20
_LONGEST_PART_BYTES, _LONGEST_NAME_BYTES = 255, 1024
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    TypeError,  # of tarfile, where a stream ends inside a header of gzip
    UnicodeError,
    ValueError,
)
_DEVICE_NAMES = {"con", "prn", "aux", "nul"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10)}


def unpack(archive: Path, folder: Path, limit_bytes: int) -> int:
    """Writes the regular files of a .tar, .tar.gz or .zip into `folder`; returns how many.

    Links and devices are refused, as are names that lead out of the folder.

    Args:
        archive: what to read.
        folder: must exist.
        limit_bytes: more than so many bytes of content are refused: no archive may fill the disk.

    Raises:
        TinymlError: damaged, hostile, or of another kind.
    """
    count, left = 0, limit_bytes
    try:
        with console.progress(0, "Unpacking") as bar:
            for name, size, stream in _members(archive):
                left -= size
                if left < 0:
                    raise _hostile(archive, f"it contains more than {limit_bytes:,} bytes")
                target = folder / _safe(archive, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with stream, target.open("xb") as output:
                    shutil.copyfileobj(stream, output, _BLOCK_BYTES)
                count += 1
                bar.advance(1, target.parent.name)
    except FileExistsError as error:
        raise _hostile(archive, f"`{Path(str(error.filename)).name}` appears twice") from error
    except (*_DAMAGE, OSError) as error:
        # A decompressor's has no number, an impossible place in the file EINVAL; the rest is the disk's.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise TinymlError(f"The archive is damaged: {error}", str(archive), "Download it again.") from error
    return count


def _members(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """(name, bytes, stream) of each regular file."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as package:
            for entry in package.infolist():
                if entry.is_dir():
                    continue
                if entry.flag_bits & 1:
                    raise _hostile(archive, "it is encrypted")
                if (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000):
                    raise _hostile(archive, f"`{entry.filename}` is not a regular file")
                yield entry.filename, entry.file_size, package.open(entry)
        return
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            if member.isdir():
                continue
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is None:
                raise _hostile(archive, f"`{member.name}` is not a regular file")
            yield member.name, member.size, stream


def _safe(archive: Path, name: str) -> Path:
    """The name as a relative path that stays inside, on every operating system."""
    parts = [part for part in PurePosixPath(name).parts if part != "."]
    bad = (
        not parts
        or name.startswith("/")
        or not name.isprintable()
        or len(name.encode(errors="replace")) > _LONGEST_NAME_BYTES
        or any(
            part == ".."
            or len(part.encode(errors="replace")) > _LONGEST_PART_BYTES
            or set(part) & set('\\:*?"<>|\0')
            or part.split(".")[0].lower() in _DEVICE_NAMES
            for part in parts
        )
    )
    if bad:
        shown = "".join(c if c.isprintable() else "?" for c in name[:100])
        raise _hostile(archive, f"`{shown}` points outside the folder or is not a valid name")
    return Path(*parts)


def _hostile(archive: Path, why: str) -> TinymlError:
    return TinymlError(
        f"The archive is not safe to unpack: {why}", str(archive), "Get it from another source."
    )
