"""Pieces of C text shared by several generators."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

LINE_WIDTH = 110


def wrapped(items: Iterable[str], indent: str = "    ") -> Iterator[str]:
    """Comma-separated items in lines of at most LINE_WIDTH characters."""
    line = indent
    for item in items:
        piece = f"{item},"
        if line != indent and len(line) + len(piece) > LINE_WIDTH:
            yield line.rstrip()
            line = indent
        line += f"{piece} "
    if line != indent:
        yield line.rstrip()


def integer_literal(value: int) -> str:
    """A C integer literal of type int; INT32_MIN has none in decimal."""
    return str(value) if value != -(1 << 31) else "(-2147483647 - 1)"


def float_literal(value: float) -> str:
    """A C float literal that reads back as exactly this single-precision value, or as some NaN."""
    if not np.isfinite(value):
        return '__builtin_nanf("")' if np.isnan(value) else f"{'-' if value < 0 else ''}__builtin_inff()"
    return f"{np.format_float_scientific(np.float32(value), unique=True, trim='0')}f"


def string_literal(text: str) -> str:
    """A C string literal of the text's UTF-8 bytes.

    Escapes are octal with three digits: they end by themselves, unlike hexadecimal ones, and a question
    mark written so can start no trigraph.
    """
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    data = text.encode("utf-8", "backslashreplace")  # a lone surrogate has no bytes
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"'


def comment(text: str) -> str:
    """Text for the inside of a comment of either kind: it ends none, begins none and continues no line."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = re.sub(r"\*(?=/)|/(?=\*)|\?(?=\?)", r"\g<0> ", line)
    return f"{line}." if line.rstrip().endswith("\\") else line
