"""Follows one real board through its USB states: program, bootloader, program again.

At each change its port disappears and returns, often under another name. The board is identified by its
USB ids and serial number; the ports of other boards and devices are never opened.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import serial

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.port_errors import busy_error, open_error, port_users
from tinyml_cli.link.transport import BAUD
from tinyml_cli.link.usb import Role, UsbPort, find_boards

# A port that is opened and closed at this speed asks the Arduino core to start the bootloader
# (ArduinoCore-mbed, cores/arduino/USB/USBCDC.cpp and variants/ARDUINO_NANO33BLE/variant.cpp).
TOUCH_BAUD = 1200

DOUBLE_PRESS = (
    "Double-press the board's reset button, like a double click; its orange light then slowly fades in "
    "and out"
)


@dataclass(frozen=True)
class Timing:
    """How long to wait for what, in seconds.

    Attributes:
        bootloader_s: from the touch to the bootloader's port (PlatformIO waits 5).
        double_press_s: for somebody to press the reset button twice.
        sketch_s: from the end of the upload to the program's port.
        banner_s: for the program's answer.
        settle_s: after an upload that failed, for a bootloader that starts anew.
        access_s: for a new port that the system still sets up, or a modem manager looks at.
        poll_s: between two looks at the list of ports.
    """

    bootloader_s: float = 8.0
    double_press_s: float = 60.0
    sketch_s: float = 15.0
    banner_s: float = 10.0
    settle_s: float = 1.5
    access_s: float = 5.0
    poll_s: float = 0.2


DEFAULT_TIMING = Timing()


class BoardOnUsb:
    """One board, whatever port it has at the moment.

    Args:
        board: its description.
        port: where it is now.

    Attributes:
        port: where it was seen last.
    """

    def __init__(self, board: Board, port: UsbPort, timing: Timing = DEFAULT_TIMING) -> None:
        self.board = board
        self.port = port
        self._timing = timing
        self._others = {other for other in find_boards(board) if other.device != port.device}

    def find(self, role: Role | None = None) -> UsbPort | None:
        """The board's port now, if it is there (and in that role) and cannot be another board's."""
        candidates = [
            port
            for port in find_boards(self.board)
            if role in (None, port.role) and port not in self._others and port.may_be(self.port)
        ]
        return candidates[0] if len(candidates) == 1 else None

    def wait_for(self, role: Role, timeout_s: float) -> bool:
        """Waits until the board shows up in that role; `port` then says where."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.find(role)
            if found is not None:
                self.port = found
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(self._timing.poll_s)

    def enter_bootloader(self) -> None:
        """Starts the bootloader: by a touch at 1200 baud, by a second one, by the user's hand.

        Raises:
            TinymlError: the port is busy or forbidden, or no bootloader came.
        """
        if self.port.role == "bootloader":
            console.info(f"The board is already in its bootloader ({self.port.device}).")
            self.wait_open()
            return
        for _ in range(2):
            self._touch()
            if self.wait_for("bootloader", self._timing.bootloader_s):
                self.wait_open()
                return
            # Gone without a bootloader, or deaf to the touch; the second is worth another try.
            if not self.wait_for("sketch", 0.0):
                break
        self.ask_double_press("The board did not start its bootloader.")

    def ask_double_press(self, reason: str) -> None:
        """Asks for a double press of the reset button and waits for the bootloader.

        Raises:
            TinymlError: it did not come in time.
        """
        seconds = round(self._timing.double_press_s)
        console.warn(f"{reason} {DOUBLE_PRESS}. Waiting up to {seconds} s …")
        deadline = time.monotonic() + self._timing.double_press_s
        with console.progress(seconds, "waiting for the double press") as progress:
            while (left_s := deadline - time.monotonic()) > 0:
                if self.wait_for("bootloader", min(1.0, left_s)):
                    self.wait_open()
                    return
                progress.advance(1, f"{max(0.0, left_s - 1.0):.0f} s left")
        raise TinymlError(
            f"The bootloader did not appear within {seconds} s",
            self.port.device,
            f"{DOUBLE_PRESS}; then run the same command again. If that fails, try another cable and port.",
        )

    def wait_open(self) -> None:
        """Waits until the port can be opened: rules for new ports, or a modem manager, take a moment.

        Follows the board to another port meanwhile.

        Raises:
            TinymlError: it stays busy or forbidden, or vanished.
        """
        deadline = time.monotonic() + self._timing.access_s
        while True:
            self.port = self.find(self.port.role) or self.port
            try:
                return serial.Serial(self.port.device, baudrate=BAUD, exclusive=True).close()
            except (serial.SerialException, OSError) as error:
                if time.monotonic() >= deadline:
                    raise open_error(self.port.device, error) from error
            time.sleep(self._timing.poll_s)

    def _touch(self) -> None:
        """Opens and closes the port at 1200 baud.

        Raises:
            TinymlError: the port is busy, forbidden or gone.
        """
        device = self.port.device
        if users := port_users(device):
            raise busy_error(device, users)
        try:
            port = serial.Serial(device, baudrate=TOUCH_BAUD, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise open_error(device, error) from error
        # From here on the board may reset at any moment and take its port away.
        with contextlib.suppress(OSError):
            port.dtr = False
        with contextlib.suppress(OSError):
            port.close()
