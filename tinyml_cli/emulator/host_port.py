"""The port that other programs open: a pseudo terminal, as pyserial, bossac or a terminal program expect one.

Linux and macOS. The speed that a program sets is read from the terminal; that it has closed the port, from
the hang-up that the other end reports.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys

if sys.platform == "win32":
    raise ImportError("Windows has no pseudo terminals")

import pty
import termios
import tty

_SPEED = 5  # output speed in termios.tcgetattr's list
_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[:1] == "B" and name[1:].isdigit()
}
_PIECE = 65_536


class HostPort:
    """One pseudo terminal.

    Attributes:
        device: its name for other programs.
    """

    def __init__(self) -> None:
        self._end, user_end = pty.openpty()
        tty.setraw(user_end)
        self.device = os.ttyname(user_end)
        os.close(user_end)
        os.set_blocking(self._end, False)
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)
        self._unsent = bytearray()

    def close(self) -> None:
        """Takes the port away."""
        os.close(self._end)

    @property
    def is_open(self) -> bool:
        """Whether some program has it open."""
        return not any(events & select.POLLHUP for _, events in self._poll.poll(0))

    @property
    def baud(self) -> int:
        """The speed that was set last."""
        return _SPEEDS.get(termios.tcgetattr(self._end)[_SPEED], 0)

    def wait(self, timeout_s: float) -> None:
        """Waits for bytes."""
        if self.is_open:
            self._poll.poll(round(1000 * timeout_s))
        else:
            select.select([], [], [], timeout_s)

    def read(self) -> bytes:
        """What a program has sent."""
        with contextlib.suppress(OSError):
            return os.read(self._end, _PIECE)
        return b""

    def write(self, data: bytes) -> None:
        """Bytes for the program that has the port open; what does not fit now is kept."""
        self._unsent += data
        if not self.is_open:
            self._unsent.clear()
        while self._unsent:
            try:
                sent = os.write(self._end, self._unsent[:_PIECE])
            except BlockingIOError:
                return
            del self._unsent[:sent]
