"""Keeps native libraries from writing over the user's terminal, and signals from interrupting them.

TensorFlow calls Python from C++ while it is imported and while it converts. An exception that a signal's
handler raises there ends the process with SIGABRT, so `interrupt` raises none inside the block.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

_TAIL_BYTES = 4000
_saved: list[tuple[int, int]] = []


class NativeLog:
    """What was written while the output was silenced."""

    def __init__(self) -> None:
        self.tail = ""


@contextlib.contextmanager
def silenced() -> Iterator[NativeLog]:
    """Sends file descriptors 1 and 2 to a temporary file, whose end stands in `tail` afterwards.

    TensorFlow's converter logs from C++ straight to the descriptors, past Python's logging.
    """
    log = NativeLog()
    with tempfile.TemporaryFile() as sink, warnings.catch_warnings(), _redirected(sink.fileno()):
        warnings.simplefilter("ignore")
        try:
            yield log
        finally:
            _flush()
            sink.seek(max(0, sink.seek(0, os.SEEK_END) - _TAIL_BYTES))
            log.tail = sink.read().decode("utf-8", "replace")


def is_silent() -> bool:
    """Whether the output is silenced."""
    return bool(_saved)


@contextlib.contextmanager
def _redirected(target: int) -> Iterator[None]:
    _flush()
    saved = [(stream, os.dup(stream)) for stream in (1, 2)]
    _saved.extend(saved)
    try:
        for stream, _ in saved:
            os.dup2(target, stream)
        yield
    finally:
        _flush()
        for stream, copy in saved:
            _saved.remove((stream, copy))
            os.dup2(copy, stream)
            os.close(copy)


def unsilence() -> None:
    """Gives the output back, for the last words of a process that ends in the middle of the silence."""
    for stream, copy in reversed(_saved):
        os.dup2(copy, stream)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
