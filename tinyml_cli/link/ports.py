"""The serial ports of this computer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

_LISTINGS = 5
_RELIST_S = 0.05
# What stands in for this computer's ports.
_instead: Callable[[], list[SerialPort]] | None = None


@dataclass(frozen=True)
class SerialPort:
    """A serial port; `usb_id` is (vendor, product), None for a port that is not on USB."""

    device: str
    description: str
    usb_id: tuple[int, int] | None = None
    serial_number: str = ""

    def __str__(self) -> str:
        if self.usb_id is None:
            return self.device
        return f"{self.device} ({self.usb_id[0]:04x}:{self.usb_id[1]:04x} {self.description})"


def serial_ports() -> list[SerialPort]:
    """Every serial port of this computer, sorted by name."""
    if _instead is not None:
        return _instead()
    return sorted(
        (
            SerialPort(
                device=port.device,
                description=port.description or "",
                usb_id=(port.vid, port.pid) if port.vid is not None and port.pid is not None else None,
                serial_number=port.serial_number or "",
            )
            for port in _listed()
        ),
        key=lambda port: port.device,
    )


@contextlib.contextmanager
def only(listed: Callable[[], list[SerialPort]]) -> Iterator[None]:
    """Hides this computer's ports while the block runs, and shows others instead."""
    global _instead
    before, _instead = _instead, listed
    try:
        yield
    finally:
        _instead = before


def _listed() -> list[Any]:
    """pyserial's list of ports. On Linux it reads one small file after another for each device, and stumbles
    (int(None): TypeError) over a device that vanishes in between, which is just when we look."""
    for _ in range(_LISTINGS - 1):
        try:
            return list(list_ports.comports())
        except (TypeError, ValueError, OSError):
            time.sleep(_RELIST_S)
    return list(list_ports.comports())
