"""A Nano 33 BLE as the host sees it: a serial port that vanishes and comes back as something else.

Its ports are real pseudo terminals, listed in a file that `comports` below reads in place of the system's
list. A touch at 1200 baud turns the program's port into the bootloader's, under another name; what the
stand-in for bossac (fake_bossac.py) writes there is, after the reset, really run, behind a new port. What can
go wrong are the fields of `Faults`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import select
import subprocess
import termios
import threading
import time
import tty
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from serial.tools.list_ports_common import ListPortInfo

SKETCH_ID = (0x2341, 0x805A)
BOOTLOADER_ID = (0x2341, 0x005A)
SERIAL_NUMBER = "E3D4B66F87C02642"
_POLL_S = 0.01
_OUTPUT_SPEED = 5  # in termios.tcgetattr's list


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        deaf_touches: so many touches at 1200 baud are ignored.
        reenumeration_s: how long the board is away at each change.
        keeps_name: whether the bootloader gets the program's port name where the system allows it.
        lost_uploads: so many uploads find the bootloader deaf ("No device found on").
        broken_uploads: so many uploads break off in the middle.
        stalls: the bootloader erases, then takes nothing more.
        moves_after_broken_upload: the bootloader then comes back under another name.
        stays_in_bootloader: the upload ends well, yet the board starts no program.
        vanishes_at_touch: the touch takes the board off the bus until the reset button is pressed twice.
        no_serial_numbers: USB reports none.
    """

    deaf_touches: int = 0
    reenumeration_s: float = 0.05
    keeps_name: bool = False
    lost_uploads: int = 0
    broken_uploads: int = 0
    stalls: bool = False
    moves_after_broken_upload: bool = False
    stays_in_bootloader: bool = False
    vanishes_at_touch: bool = False
    no_serial_numbers: bool = False


class Bus:
    """The list of serial ports, kept in a file so that other processes see it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._ports: list[dict[str, Any]] = []
        self._write()

    def add(self, device: str, usb_id: tuple[int, int], serial_number: str, description: str) -> None:
        with self._lock:
            vid, pid = usb_id
            port = {"device": device, "vid": vid, "pid": pid, "serial_number": serial_number or None}
            self._ports.append(port | {"description": description})
            self._write()

    def remove(self, device: str) -> None:
        with self._lock:
            self._ports = [port for port in self._ports if port["device"] != device]
            self._write()

    def _write(self) -> None:
        temporary = self.file.with_suffix(".new")
        temporary.write_text(json.dumps(self._ports))
        temporary.replace(self.file)


def comports(file: Path) -> list[ListPortInfo]:
    """What pyserial's `comports` would list."""
    ports = []
    for entry in json.loads(file.read_text()):
        port = ListPortInfo(entry["device"])
        for name, value in entry.items():
            setattr(port, name, value)
        ports.append(port)
    return ports


class Pty:
    """The device's end of one port."""

    def __init__(self) -> None:
        self.fd, user_end = pty.openpty()
        tty.setraw(user_end)
        self.device = os.ttyname(user_end)
        os.close(user_end)
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def close(self) -> None:
        os.close(self.fd)

    @property
    def is_open(self) -> bool:
        """Whether some program has the port open. (Linux reports a hang-up while none has.)"""
        return not any(events & select.POLLHUP for _, events in self._poll.poll(0))

    @property
    def is_touched(self) -> bool:
        """Whether it was closed at 1200 baud."""
        return not self.is_open and termios.tcgetattr(self.fd)[_OUTPUT_SPEED] == termios.B1200

    def read(self) -> bytes:
        if not any(events & select.POLLIN for _, events in self._poll.poll(0)):
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Drops the bytes where nobody listens, as the board's USB does."""
        while data and self.is_open:
            data = data[os.write(self.fd, data) :]


class FakeUsbBoard:
    """One board; use as a context manager.

    Args:
        bus: where it is plugged in.
        program: what its flash holds at first: the bytes of an executable; empty starts the bootloader.
        folder: for the programs that it runs.
    """

    def __init__(
        self,
        bus: Bus,
        program: bytes,
        folder: Path,
        faults: Faults | None = None,
        serial_number: str = SERIAL_NUMBER,
    ) -> None:
        self.flash = program
        self.faults = faults or Faults()
        self.touches = 0
        self.uploads = 0
        self.device = ""
        self.role = ""
        self._bus = bus
        self._folder = folder
        self._serial_number = "" if self.faults.no_serial_numbers else serial_number
        self._pressed_twice = threading.Event()
        self._ended = threading.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._programs = 0
        self._next: Pty | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(10.0)
        if self._next:
            self._next.close()
        assert not self._thread.is_alive()

    def press_twice(self, after_s: float = 0.0) -> None:
        """Presses the reset button twice, now or later."""
        threading.Timer(after_s, self._pressed_twice.set).start()

    def _live(self) -> None:
        role = "sketch" if self.flash else "bootloader"
        while not self._ended.is_set():
            role = self._sketch() if role == "sketch" else self._bootloader()
            if role == "nothing":
                while not self._ended.is_set() and not self._pressed_twice.wait(_POLL_S):
                    pass
                self._pressed_twice.clear()
                role = "bootloader"

    @contextlib.contextmanager
    def _port(self, role: str) -> Any:
        port, self._next = self._next or Pty(), None
        number = self._serial_number
        if role == "bootloader" and number:
            number = number.rjust(32, "0")
        usb_id = SKETCH_ID if role == "sketch" else BOOTLOADER_ID
        self._bus.add(port.device, usb_id, number, "Nano 33 BLE")
        self.device, self.role = port.device, role
        self._started.set()
        try:
            yield port
        finally:
            self.role = "away"
            self._bus.remove(port.device)
            self._leave(port)

    def _leave(self, port: Pty) -> None:
        """Off the bus for a moment. The next port gets another name if it is made before this one goes."""
        self._next = None if self.faults.keeps_name or self._ended.is_set() else Pty()
        port.close()
        if not self._ended.is_set():
            time.sleep(self.faults.reenumeration_s)

    def _sketch(self) -> str:
        """Runs the program behind the port; returns what the board is next."""
        self._programs += 1
        program = self._folder / f"program{self._programs}"
        program.write_bytes(self.flash)
        program.chmod(0o755)
        process = _start(program)
        assert process.stdin and process.stdout
        os.set_blocking(process.stdout.fileno(), False)
        try:
            with self._port("sketch") as port:
                return self._relay(port, process)
        finally:
            process.kill()
            process.communicate()

    def _relay(self, port: Pty, process: subprocess.Popen[bytes]) -> str:
        assert process.stdin and process.stdout
        while not self._ended.is_set():
            if process.poll() is not None:
                return "nothing"  # a crashed program takes the board off the bus
            if data := port.read():
                with contextlib.suppress(OSError):
                    process.stdin.write(data)
                    process.stdin.flush()
            if output := process.stdout.read():
                port.write(output)
            if self._pressed_twice.is_set():
                self._pressed_twice.clear()
                return "bootloader"
            if port.is_touched:
                self.touches += 1
                if self.faults.deaf_touches < self.touches:
                    return "nothing" if self.faults.vanishes_at_touch else "bootloader"
                _forget_speed(port)
            time.sleep(_POLL_S)
        return "sketch"

    def _bootloader(self) -> str:
        """Takes uploads: a line with the length, then the bytes; answers each piece."""
        with self._port("bootloader") as port:
            received = b""
            while not self._ended.is_set():
                received += port.read()
                if b"\n" not in received:
                    time.sleep(_POLL_S)
                    continue
                header, _, body = received.partition(b"\n")
                outcome = self._take(port, int(header), body)
                if outcome:
                    return outcome
                received = b""
            return "bootloader"

    def _take(self, port: Pty, length: int, body: bytes) -> str:
        """One upload; returns what the board is next, or nothing to go on as it is."""
        self.uploads += 1
        if self.uploads <= self.faults.lost_uploads:
            return ""
        self.flash = b""
        while self.faults.stalls and port.is_open and not self._ended.is_set():
            time.sleep(_POLL_S)
        broken = self.uploads <= self.faults.lost_uploads + self.faults.broken_uploads
        port.write(b"go\n")
        deadline = time.monotonic() + 10.0
        while len(body) < length:
            body += port.read()
            if not port.is_open:
                return ""
            if self._ended.is_set() or time.monotonic() > deadline:
                return "bootloader"
            if broken and len(body) > length // 2:
                port.write(b"no\n")
                while (port.read() or port.is_open) and not self._ended.is_set():
                    time.sleep(0.001)
                return "bootloader" if self.faults.moves_after_broken_upload else ""
            time.sleep(0.001)
        self.flash = body
        port.write(b"ok\n")
        while port.is_open and not self._ended.is_set():
            time.sleep(_POLL_S)
        return "bootloader" if self.faults.stays_in_bootloader else "sketch"


class OtherDevice:
    """Somebody else's serial device, which tells whether anybody opened it: pyserial sets a speed then."""

    def __init__(self, bus: Bus, usb_id: tuple[int, int] = (0x04F9, 0x0001)) -> None:
        self._pty = Pty()
        self._settings = termios.tcgetattr(self._pty.fd)
        bus.add(self._pty.device, usb_id, "PRINTER01", "Label printer")
        self.device = self._pty.device

    @property
    def was_opened(self) -> bool:
        """Whether it is open or its settings have changed."""
        return self._pty.is_open or termios.tcgetattr(self._pty.fd) != self._settings


def _start(program: Path) -> subprocess.Popen[bytes]:
    while True:
        try:
            return subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            # A child that another thread forks at this moment may still hold the file open for writing.
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(_POLL_S)


def _forget_speed(port: Pty) -> None:
    settings = termios.tcgetattr(port.fd)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(port.fd, termios.TCSANOW, settings)
