"""Bytes to and from a device: a serial port, or the TCP socket of a virtual one."""

from __future__ import annotations

import contextlib
import socket

import serial

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.port_errors import open_error

BAUD = 115_200
_WRITE_TIMEOUT_S = 5.0
_READ_BYTES = 65_536


class DeviceGoneError(TinymlError):
    """The port or socket went away while it was in use."""


def _keep_input() -> None:
    """Takes the place of `reset_input_buffer`."""


class Transport:
    """An open byte stream to a device.

    Args:
        url: what pyserial's `serial_for_url` takes: a port name, or `socket://host:port`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._port: serial.SerialBase | None = None
        self._socket: socket.socket | None = None

    @property
    def can_come_back(self) -> bool:
        """Whether the port may reappear under its name, as a board does after a reset."""
        return "://" not in self.url

    def open(self) -> None:
        """Opens the port.

        Raises:
            TinymlError: there is no such port, it is busy, or it may not be opened.
        """
        try:
            self._port = serial.serial_for_url(self.url, baudrate=BAUD, do_not_open=True)
            self._port.write_timeout = _WRITE_TIMEOUT_S
            if self.can_come_back:
                self._port.exclusive = True
            elif self.url.startswith("socket://"):
                # pyserial throws away what came before open() ended: a quick device's banner.
                self._port.reset_input_buffer = _keep_input  # type: ignore[method-assign]
            self._port.open()
        except (serial.SerialException, ValueError, OSError) as error:
            self._port = None
            raise open_error(self.url, error) from error
        if self.url.startswith("socket://"):
            self._adopt_socket(self._port)

    def _adopt_socket(self, port: serial.SerialBase) -> None:
        # Stop-and-wait over TCP stalls 40 ms a line under Nagle's algorithm, which pyserial leaves on.
        self._socket = socket.fromfd(port.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)

    def close(self) -> None:
        """Closes the port; it may have vanished already."""
        if self._socket:
            self._socket.close()
            self._socket = None
        if self._port:
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None

    def read(self, timeout_s: float) -> bytes:
        """Waits up to `timeout_s` for bytes; returns all that are there, perhaps none.

        Raises:
            DeviceGoneError: the device closed the connection or was unplugged.
        """
        port = self._open_port()
        try:
            if port.timeout != timeout_s:
                port.timeout = timeout_s
            first: bytes = port.read(1)
            return first + self._rest(port) if first else b""
        except (OSError, TypeError) as error:  # pyserial: TypeError where the descriptor vanishes in a read
            raise _gone(self.url) from error

    def _rest(self, port: serial.SerialBase) -> bytes:
        if self._socket is None:
            rest: bytes = port.read(port.in_waiting)  # type: ignore[attr-defined]  # missing in the stubs
            return rest
        try:
            return self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Sends all bytes.

        Raises:
            TinymlError: the device takes no bytes for five seconds.
            DeviceGoneError: the device closed the connection or was unplugged.
        """
        try:
            self._open_port().write(data)
        except serial.SerialTimeoutException as error:
            raise TinymlError(
                "The device accepts no data: it hangs, or is not a tinyml board",
                self.url,
                "Reset it, or flash it again: tinyml flash",
            ) from error
        except OSError as error:
            raise _gone(self.url) from error

    def _open_port(self) -> serial.SerialBase:
        if self._port is None:
            raise _gone(self.url)
        return self._port


def _gone(url: str) -> DeviceGoneError:
    if "://" in url:
        return DeviceGoneError(
            "The device closed the connection", url, "Restart it, then run this command again."
        )
    return DeviceGoneError(
        "The port disappeared and did not return",
        url,
        "Check the cable (it must be a data cable, not charge-only), then run the command again.",
    )
