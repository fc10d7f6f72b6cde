"""A virtual board behind a pseudo-terminal, for programs that open serial ports (POSIX only)."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tinyml_cli.errors import TinymlError

_PIECE_BYTES = 65_536


class SerialBridge:
    """Ties a device's socket to a pseudo-terminal; a context manager whose `port` others open.

    Programs may open and close the port as often as they like: this end keeps it alive.

    Args:
        url: `socket://host:port` of a virtual device.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.port = ""
        self._descriptors: list[int] = []
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            TinymlError: this system has no pseudo-terminals, or nothing listens.
        """
        if sys.platform == "win32":
            raise TinymlError(
                "A serial port for the virtual board needs Linux or macOS", "--serve", "Use WSL2 on Windows."
            )
        import pty
        import tty

        parts = urlsplit(self._url)
        try:
            self._device = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0))
        except OSError as error:
            raise TinymlError(
                f"Cannot reach the virtual board: {error.strerror}", self._url, "Start it again."
            ) from error
        self._device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ours, theirs = pty.openpty()
        tty.setraw(theirs)  # before anybody opens it: an echo would send the board's words back to it
        self._stop_reader, self._stop_writer = os.pipe()
        self._descriptors = [ours, theirs, self._stop_reader, self._stop_writer]
        self.port = os.ttyname(theirs)
        self._thread = threading.Thread(target=self._relay, args=(ours,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._stop_writer, b"\0")
        if self._thread:
            self._thread.join()
        self._device.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def wait(self) -> None:
        """Returns when the device has ended."""
        while self._thread and self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def _relay(self, terminal: int) -> None:
        device = self._device.fileno()
        with contextlib.suppress(OSError):
            while True:
                ready, _, _ = select.select([terminal, device, self._stop_reader], [], [])
                if self._stop_reader in ready:
                    return
                if terminal in ready:
                    self._device.sendall(os.read(terminal, _PIECE_BYTES))
                if device in ready:
                    data = self._device.recv(_PIECE_BYTES)
                    if not data:
                        return
                    _write_all(terminal, data)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
