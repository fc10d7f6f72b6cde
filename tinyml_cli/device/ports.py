"""Which port a board is on. Never a guess: a wrong port may belong to someone's printer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from serial.tools import list_ports

from tinyml_cli.errors import TinymlError

UsbId = tuple[int, int]


@dataclass(frozen=True)
class SerialPort:
    """A serial port of this computer; `usb_id` is (vendor, product), None for other ports."""

    device: str
    description: str
    usb_id: UsbId | None = None
    serial_number: str = ""


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


def find_port(
    board: str,
    usb_ids: Collection[UsbId],
    given: str | None = None,
    ports: Collection[SerialPort] | None = None,
) -> str:
    """The port of a real board: the given one, else the only one with one of its USB ids.

    Args:
        board: name, for messages.
        usb_ids: (vendor, product) pairs of the board, its bootloader's included.
        given: what the user named with --port.
        ports: the ports to choose from; None asks the system.

    Raises:
        TinymlError: no such board is plugged in, or several are.
    """
    if given:
        return given
    present = serial_ports() if ports is None else ports
    matches = [port for port in present if port.usb_id in usb_ids]
    if len(matches) == 1:
        return matches[0].device
    if matches:
        names = ", ".join(f"{port.device} (serial {port.serial_number or 'unknown'})" for port in matches)
        raise TinymlError(
            f"{len(matches)} boards `{board}` are plugged in: {names}", "--port", "Choose one with --port."
        )
    others = ", ".join(port.device for port in present) or "none"
    wanted = ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in usb_ids) or "none known"
    raise TinymlError(
        f"No board `{board}` is plugged in (looked for USB ids {wanted}; other ports: {others})",
        "--port",
        "Plug it in with a data cable, press its reset button twice, or name the port with --port.",
    )
