"""Hides what C libraries print about damaged files; the exception carries the information."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Discards what the process writes to file descriptor 2: keep the block short."""
    with _one_at_a_time, contextlib.ExitStack() as stack:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
            kept = os.dup(_STDERR)
        except (OSError, ValueError):  # there is none
            yield
            return
        stack.callback(os.close, kept)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        os.dup2(nowhere, _STDERR)
        stack.callback(os.dup2, kept, _STDERR)
        yield
