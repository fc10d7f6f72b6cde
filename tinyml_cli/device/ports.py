"""The serial ports of this computer."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports


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
    return sorted(
        (
            SerialPort(
                device=port.device,
                description=port.description or "",
                usb_id=(port.vid, port.pid) if port.vid is not None and port.pid is not None else None,
                serial_number=port.serial_number or "",
            )
            for port in list_ports.comports()
        ),
        key=lambda port: port.device,
    )
