"""Finds the serial port of a real board. It never guesses: another port may be someone's printer."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinyml_cli.boards.boards import Board
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.ports import SerialPort, serial_ports
from tinyml_cli.next_step import on_this_run
from tinyml_cli.wording import counted

Role = Literal["sketch", "bootloader"]

# Fewer digits that agree could be chance.
_SERIAL_DIGITS = 8


@dataclass(frozen=True)
class UsbPort:
    """A serial port that carries one of a board's USB ids.

    Attributes:
        device: what the system calls it: /dev/ttyACM0, /dev/cu.usbmodem101, COM5.
        role: what answers there, the uploaded program ("sketch") or the bootloader.
        serial_number: as USB reports it; empty where it reports none.
    """

    device: str
    role: Role
    serial_number: str = ""

    def may_be(self, other: UsbPort) -> bool:
        """Whether both can be the same board: their serial numbers agree, or one is not known.

        The bootloader reports its number with zeros in front, so the shorter has to end the longer.
        """
        ours, theirs = (port.serial_number.strip().lower().lstrip("0") for port in (self, other))
        if not ours or not theirs:
            return True
        if min(len(ours), len(theirs)) < _SERIAL_DIGITS:
            return ours == theirs
        return ours.endswith(theirs) or theirs.endswith(ours)

    def __str__(self) -> str:
        state = ", in its bootloader" if self.role == "bootloader" else ""
        return f"{self.device} (serial number {self.serial_number or 'unknown'}{state})"


def find_boards(board: Board, ports: Collection[SerialPort] | None = None) -> list[UsbPort]:
    """The ports with one of the board's USB ids, sorted by name.

    Args:
        ports: the ports to look through; None asks the system.
    """
    roles: dict[tuple[int, int], Role] = {usb_id.numbers: usb_id.role for usb_id in board.usb_ids}
    return [
        UsbPort(port.device, roles[port.usb_id], port.serial_number)
        for port in (serial_ports() if ports is None else ports)
        if port.usb_id in roles
    ]


def choose_port(board: Board, given: str | None = None) -> UsbPort:
    """The port of a real board: the given one if it is one, else the only one.

    Raises:
        TinymlError: no such board is plugged in, several are, or `given` names another port.
    """
    present = serial_ports()
    boards = find_boards(board, present)
    if given is not None:
        return _given_port(board, given, boards, present)
    if len(boards) == 1:
        return boards[0]
    if boards:
        raise TinymlError(
            f"{counted(len(boards), 'board')} `{board.name}` are plugged in: {'; '.join(map(str, boards))}",
            "--port",
            f"Choose one: --port {boards[0].device}",
        )
    raise _no_board(board, present)


def link_url(board: Board, given: str | None = None) -> str:
    """What a Link opens to talk to a real board's program; a given URL (socket://…) or the port of a
    virtual board is taken as it is.

    Raises:
        TinymlError: see `choose_port`; or the board is in its bootloader and runs no program.
    """
    if given is not None and ("://" in given or board.kind != "usb"):
        return given
    port = choose_port(board, given)
    if port.role == "bootloader":
        raise TinymlError(
            f"The board `{board.name}` is in its bootloader and is not running a program",
            port.device,
            "Press its reset button once, or install the firmware: "
            f"{on_this_run('flash', '--board', board.name)}",
        )
    return port.device


def _given_port(
    board: Board, given: str, boards: Collection[UsbPort], present: Collection[SerialPort]
) -> UsbPort:
    for port in boards:
        if _is_same_name(port.device, given):
            return port
    for other in present:
        if _is_same_name(other.device, given):
            raise TinymlError(
                f"The port {other} is not a board `{board.name}` and is not opened (that board's USB ids are "
                f"{_ids(board)})",
                "--port",
                f"Omit --port to find the board automatically, or name its port: {_names(boards)}.",
            )
    raise TinymlError(
        f"No serial port `{given}` (found: {', '.join(map(str, present)) or 'none'})",
        "--port",
        f"Omit --port to find the board automatically, or name its port: {_names(boards)}.",
    )


def _is_same_name(device: str, given: str) -> bool:
    if sys.platform == "win32":
        return device.lower() == given.lower()
    if sys.platform == "darwin":
        # A port has two names there; pyserial lists the one that can be opened without a carrier.
        device, given = device.replace("/tty.", "/cu."), given.replace("/tty.", "/cu.")
    return device == given or Path(device).resolve() == Path(given).resolve()  # /dev/serial/by-id/… is a link


def _no_board(board: Board, present: Collection[SerialPort]) -> TinymlError:
    others = ", ".join(map(str, present)) or "none"
    return TinymlError(
        f"No board `{board.name}` is plugged in (looked for USB ids {_ids(board)}; other serial ports, "
        f"not opened: {others})",
        "USB",
        "Plug it in with a data cable: many USB cables only charge. If its green light is on, "
        "double-press its reset button: that starts the bootloader regardless of the program on it.",
    )


def _ids(board: Board) -> str:
    return ", ".join(usb_id.id for usb_id in board.usb_ids) or "none known"


def _names(boards: Collection[UsbPort]) -> str:
    return ", ".join(port.device for port in boards) or "none is plugged in"
