"""Reads single keys from a terminal, without Enter."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

_POLL_S = 0.02


class Keys(Protocol):
    """A keyboard."""

    def read(self, timeout_s: float | None = None) -> str:
        """The next key, lower case; "" if none comes in time. None waits for ever."""
        ...

    def flush(self) -> None:
        """Forgets keys that were pressed too early."""
        ...


@contextlib.contextmanager
def terminal_keys() -> Iterator[Keys]:
    """The keyboard of this terminal; the terminal is put back whatever happens.

    Interrupts (Ctrl+C) still raise KeyboardInterrupt.
    """
    if sys.platform == "win32":
        yield _WindowsKeys()
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield _PosixKeys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class _PosixKeys:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, timeout_s: float | None = None) -> str:
        import os
        import select

        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        if not ready:
            return ""
        data = os.read(self._descriptor, 32)
        if not data:  # The terminal was closed: nobody will press a key again.
            raise KeyboardInterrupt
        text = data.decode(errors="ignore")
        # Arrow and function keys come as sequences that begin with escape; none of them means anything here.
        return "" if text.startswith("\x1b") else text[:1].lower()

    def flush(self) -> None:
        if sys.platform != "win32":
            import termios

            termios.tcflush(self._descriptor, termios.TCIFLUSH)


class _WindowsKeys:
    def read(self, timeout_s: float | None = None) -> str:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while deadline is None or time.monotonic() < deadline:
            if key := self._pressed():
                return key
            time.sleep(_POLL_S)
        return ""

    def flush(self) -> None:
        while self._pressed():
            pass

    def _pressed(self) -> str:
        if sys.platform == "win32":
            import msvcrt

            if msvcrt.kbhit():
                key = msvcrt.getwch()
                if key == "\x03":
                    raise KeyboardInterrupt
                if key in ("\x00", "\xe0"):  # The first half of an arrow or function key.
                    msvcrt.getwch()
                    return ""
                return key.lower()
        return ""
