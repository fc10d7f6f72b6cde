"""From a file's bytes to lines of text, in any encoding that spreadsheets and phones use."""

from __future__ import annotations

import codecs
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import over_limit

# A file is there as bytes, as text and as numbers (a cell of two bytes becomes eight).
TEXT_EXPANSION = 7
# Each line is a string too.
_LINE_BYTES = 200

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 4096
_NUL_SHARE = 0.3


def read_bytes(path: Path, expansion: int) -> bytes:
    """A file's bytes, if what they become fits into memory.

    Args:
        path: the file.
        expansion: bytes of memory per byte of the file.

    Raises:
        TinymlError: it cannot be read, or is too large.
    """
    try:
        check_size(path.stat().st_size, expansion, str(path))
        return path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"Cannot read the file: {error.strerror or error}", str(path), "Check its permissions."
        ) from error


def check_size(file_bytes: int, expansion: int, where: str) -> None:
    """Refuses a file whose content would not fit into memory.

    Raises:
        TinymlError: it would not.
    """
    if reason := over_limit(file_bytes * expansion):
        raise TinymlError(f"The file is too large: {reason}", where, "Or split it into parts.")


def read_text(path: Path) -> str:
    """A file's text; see `decode`.

    Raises:
        TinymlError: it cannot be read, is too large, or is not text.
    """
    return decode(read_bytes(path, TEXT_EXPANSION), str(path))


def decode(data: bytes, where: str) -> str:
    """Text of UTF-8, UTF-16, UTF-32 (with or without a mark) or Windows-1252.

    Raises:
        TinymlError: the bytes are not text.
    """
    check_size(len(data) * TEXT_EXPANSION + data.count(b"\n") * _LINE_BYTES, 1, where)
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\0" in text or "\ufffd" in text[:_SAMPLE_BYTES]:
        raise TinymlError("The file is not text", where, "Save it as CSV in UTF-8.")
    return text.replace("\u2212", "-")


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = data[:_SAMPLE_BYTES]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[offset::2].count(0) > _NUL_SHARE * len(sample) and not sample[1 - offset :: 2].count(0):
            return name
    return "utf-8"
