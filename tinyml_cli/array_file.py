"""Arrays from .npy and .npz files of any origin: no pickles, and never more memory than the limit."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import over_limit

_KINDS = "biufcUS"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class UnreadableArrayError(ValueError):
    """A file that holds no usable arrays; the text says why."""


def check_arrays(path: Path) -> None:
    """Judges an .npy or .npz file by its headers.

    Raises:
        UnreadableArrayError: as `read_array`.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                _array_bytes(stream, path.stat().st_size)
        else:
            with zipfile.ZipFile(path) as archive:
                _check_members(archive)
    except Exception as error:
        raise _reason(error) from error


def read_array(path: Path) -> NDArray[Any]:
    """The array of an .npy file.

    Raises:
        UnreadableArrayError: damaged, Python objects, or larger than the limit for one file.
    """
    try:
        with path.open("rb") as stream:
            _array_bytes(stream, path.stat().st_size)
            stream.seek(0)
            return _read(stream)
    except Exception as error:
        raise _reason(error) from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an .npz file, by name; together they obey the limit.

    Raises:
        UnreadableArrayError: as read_array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive)
            arrays = {}
            for member in archive.infolist():
                with archive.open(member) as stream:
                    arrays[member.filename.removesuffix(".npy")] = _read(stream)
            return arrays
    except Exception as error:
        raise _reason(error) from error


def _check_members(archive: zipfile.ZipFile) -> None:
    total = 0
    for member in archive.infolist():
        if member.compress_type not in _METHODS:
            raise UnreadableArrayError(f"`{member.filename}` uses an unsupported compression method")
        with archive.open(member) as stream:
            total += _array_bytes(stream, member.file_size)
        if reason := over_limit(total):
            raise UnreadableArrayError(reason)


def _read(stream: IO[bytes]) -> NDArray[Any]:
    values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return values


def _array_bytes(stream: IO[bytes], file_bytes: int) -> int:
    """The size that an array's header declares, which the file must be able to hold."""
    version = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise UnreadableArrayError("it holds Python objects, not numbers")
    if dtype.kind not in _KINDS or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise UnreadableArrayError(f"its header declares {dtype} {shape}, not an array of numbers")
    size = math.prod(shape) * dtype.itemsize
    if reason := over_limit(size):
        raise UnreadableArrayError(reason)
    if size > file_bytes:
        raise UnreadableArrayError(f"its header declares {size:,} bytes, the file holds {file_bytes:,}")
    return size


def _reason(error: Exception) -> Exception:
    """NumPy, zipfile and zlib raise whatever their parsers trip over."""
    if isinstance(error, UnreadableArrayError | TinymlError):
        return error
    text = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return UnreadableArrayError(text)
