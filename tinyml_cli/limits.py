"""The memory limit for a single user file; the size that a file declares is checked before decoding."""

from __future__ import annotations

import os

from tinyml_cli.errors import TinymlError

VARIABLE = "TINYML_MAX_DECODE_MB"
_DEFAULT_MB = 512


def decode_limit_bytes() -> int:
    """The most bytes that one file may take once it is decoded: 512 MB, or what TINYML_MAX_DECODE_MB says.

    Raises:
        TinymlError: the variable holds no whole number above 0.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return _DEFAULT_MB << 20
    if not text.isascii() or not text.isdigit() or not int(text[:10]) > 0 or len(text) > 9:
        raise TinymlError(
            f"`{text[:20]}` is not a number of megabytes",
            VARIABLE,
            f"Set it to a whole number, such as {_DEFAULT_MB}.",
        )
    return int(text) << 20


def over_limit(needed_bytes: int) -> str:
    """Why a file that takes so much memory is not decoded; empty where it fits.

    Raises:
        TinymlError: as decode_limit_bytes.
    """
    limit = decode_limit_bytes()
    if needed_bytes <= limit:
        return ""
    needed_mb = -(-needed_bytes >> 20)
    return (
        f"decoding it would take {needed_mb:,} MB of memory, but the limit is {limit >> 20:,} MB; "
        f"if you trust the file, set {VARIABLE}={needed_mb}"
    )
