"""The emulator's own process: `python -m tinyml_cli.emulator.process STATE [--elf FILE] …`.

It runs a board and offers its USB port as a pseudo terminal. STATE is a JSON file, replaced at each change,
with what a computer would know of the board: `ports` (device, vendor, product, serial number), `light`,
`seconds` of the board's time, `slept` of these, `resets`, `is_over` (the recordings, which begin a second
after the port was opened first). `failed` says why the program cannot go on.

It ends with its standard input.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from tinyml_cli.emulator import bootloader
from tinyml_cli.emulator.host_port import HostPort
from tinyml_cli.emulator.memory import DEVICE_ID, FLASH_BYTES, ProgramError, read_program
from tinyml_cli.emulator.nano33ble import Nano33Ble
from tinyml_cli.emulator.parts.microphone import HeardSound
from tinyml_cli.emulator.parts.motion import Motion
from tinyml_cli.emulator.usb_host import Identity, UsbHost

_STEP_US = 1000
_STATE_EVERY_S = 0.05
_AWAY_US = 300_000  # from the end of the bootloader to its program, and back
_MOST_BACKLOG = 4096
_LONGEST_WAIT_S = 0.005  # so that a port that is opened is noticed
_PLAY_AFTER_S = 1.0
_OVER_AFTER_S = 2.0  # for what the program makes of the end
_STARTS_WITHIN_S = 5.0


class Session:
    """A board, its port and its state file.

    Args:
        stays_in_bootloader: as after a double tap on the board's button.
    """

    def __init__(self, options: argparse.Namespace, stays_in_bootloader: bool = False) -> None:
        self._state_file: Path = options.state
        self._flash_file: Path | None = options.flash
        self._paced: bool = not options.unpaced
        self._state: dict[str, Any] = {"ports": [], "light": [0, 0, 0], "resets": 0, "failed": ""}
        self._written_at = 0.0
        self._port: HostPort | None = None
        self._was_open, self._baud = False, 0
        self._plays_at_s = self._over_at_s = math.inf
        self._samba: bootloader.SamBa | None = None
        self._is_unproven = options.elf is None and not stays_in_bootloader
        self._sound = HeardSound(_bytes(options.sound), options.sound_hz)
        self._motion = Motion(_bytes(options.motion), options.motion_hz)
        self._board = board = Nano33Ble(
            options.sensor, self._sound, self._motion, self._light_changed, self._log
        )
        self._chip = board.chip
        self._chip.usb.host = UsbHost(self._chip, self._chip.usb, self._attach, self._detach, self._to_port)
        if self._flash_file and self._flash_file.is_file():
            self._chip.memory.load(0, self._flash_file.read_bytes()[:FLASH_BYTES])
        if options.elf:
            self._install(read_program(options.elf))
        board.start()
        board.in_bootloader |= stays_in_bootloader

    def run(self) -> bool:
        """Until standard input ends or the program fails; False where what the flash holds does not start."""
        behind_s, started_s = 0.0, time.monotonic()
        while not self._is_ended():
            if self._board.in_bootloader:
                self._stay_in_bootloader()
            else:
                self._chip.run(self._chip.now + self._chip.cycles(_STEP_US))
            self._exchange()
            self._play()
            self._tell()
            if self._is_unproven and (self._chip.failed or self._chip.now_s > _STARTS_WITHIN_S):
                return False
            if self._chip.failed:
                self._fail()
                return True
            ahead_s = self._chip.now_s - (time.monotonic() - started_s) + behind_s
            if ahead_s < -1.0:  # a slow computer: does not hurry afterwards
                behind_s -= ahead_s
            if ahead_s > 0.001 and (self._paced or self._board.in_bootloader):
                self._wait(min(ahead_s, _LONGEST_WAIT_S))
        return True

    def _play(self) -> None:
        now_s = self._chip.now_s
        if now_s >= self._plays_at_s:
            self._board.play()
        if self._over_at_s == math.inf and self._motion.is_over(now_s) and self._is_heard(now_s):
            self._over_at_s = now_s + _OVER_AFTER_S

    def _is_heard(self, now_s: float) -> bool:
        """Whether the sound has ended: as the program heard it, or by the clock where it does not listen."""
        return self._sound.is_over or now_s > self._plays_at_s + self._sound.length_s + _OVER_AFTER_S

    def _install(self, pieces: list[tuple[int, bytes]]) -> None:
        """Erases and loads as an upload does; a board that holds the program keeps what it wrote since."""
        memory = self._chip.memory
        if any(memory.read(start, len(data)) != data for start, data in pieces):
            memory.erase_program()
            for start, data in pieces:
                memory.load(start, data)

    def save(self) -> None:
        """Keeps the flash for the next time, if it has changed."""
        if self._flash_file and self._chip.memory.is_changed:
            self._chip.memory.is_changed = False
            temporary = self._flash_file.with_suffix(f".{os.getpid()}.new")
            temporary.write_bytes(self._chip.memory.flash())
            temporary.replace(self._flash_file)

    def _is_ended(self) -> bool:
        return bool(select.select([sys.stdin], [], [], 0)[0]) and not os.read(sys.stdin.fileno(), 1)

    def _wait(self, seconds: float) -> None:
        if self._port:
            self._port.wait(seconds)
        else:
            time.sleep(seconds)

    # The port.

    def _attach(self, identity: Identity) -> None:
        self._port = HostPort()
        self._is_unproven = False
        self._was_open, self._baud = False, self._port.baud
        self._state["ports"] = [
            {
                "device": self._port.device,
                "vendor": identity.vendor,
                "product": identity.product,
                "serial_number": identity.serial_number,
            }
        ]
        self._tell(now=True)

    def _detach(self) -> None:
        if self._port:
            self._state["ports"] = []
            self._tell(now=True)
            self._port.close()
            self._port = None

    def _to_port(self, data: bytes) -> None:
        if self._port:
            self._port.write(data)

    def _exchange(self) -> None:
        """Follows what a program does to the port, and moves bytes."""
        port = self._port
        if port is None:
            return
        is_open, baud = port.is_open, port.baud
        host = self._chip.usb.host if not self._samba else None
        if host and ((is_open and not self._was_open) or baud != self._baud):
            host.open(baud)
            self._plays_at_s = min(self._plays_at_s, self._chip.now_s + _PLAY_AFTER_S)
            if not is_open:  # opened and closed between two looks
                self._was_open = True
        if host and self._was_open and not is_open:
            host.close()
        self._was_open, self._baud = is_open, baud
        if not is_open and not self._samba:
            return
        port.write(b"")
        if host is None or host.backlog_bytes < _MOST_BACKLOG:
            data = port.read()
            if data and host:
                host.send(data)
            elif data and self._samba:
                self._samba.feed(data)

    # The bootloader.

    def _stay_in_bootloader(self) -> None:
        self._chip.now += self._chip.cycles(_STEP_US)
        if self._samba is None:
            self._samba = bootloader.SamBa(self._chip.memory, self._to_port)
            # The bootloader reports the number with zeros in front.
            number = f"{DEVICE_ID:016X}".rjust(32, "0")
            self._attach(Identity(bootloader.VENDOR, bootloader.PRODUCT, number))
        elif self._samba.is_done:
            self._detach()
            self._samba = None
            self.save()
            self._chip.now += self._chip.cycles(_AWAY_US)
            self._board.start()

    # What others are told.

    def _log(self, data: bytes) -> None:
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()

    def _light_changed(self, colour: tuple[int, int, int]) -> None:
        self._state["light"] = list(colour)

    def _tell(self, now: bool = False) -> None:
        clock_s = time.monotonic()
        if now or clock_s >= self._written_at + _STATE_EVERY_S:
            self._written_at = clock_s
            self.save()
            chip = self._chip
            self._state |= {
                "seconds": round(chip.now_s, 3),
                "slept": round(chip.slept / chip.HZ, 3),
                "processor": round(time.process_time(), 3),
                "resets": self._board.resets,
                "is_over": chip.now_s >= self._over_at_s,
            }
            temporary = self._state_file.with_suffix(".new")
            temporary.write_text(json.dumps(self._state), encoding="utf-8", newline="\n")
            temporary.replace(self._state_file)

    def _fail(self) -> None:
        self._state["failed"] = self._chip.failed
        self._detach()
        self._tell(now=True)
        sys.stderr.write(f"{self._chip.failed}\n")


def _bytes(path: Path | None) -> bytes:
    return path.read_bytes() if path else b""


def main(arguments: list[str] | None = None) -> int:
    """Runs a board until standard input ends; 1 where there is no program or it fails."""
    parser = argparse.ArgumentParser(prog="tinyml_cli.emulator.process")
    parser.add_argument("state", type=Path)
    parser.add_argument("--elf", type=Path, help="the program; without it, what the flash holds")
    parser.add_argument("--flash", type=Path, help="1 MB that outlives this process")
    parser.add_argument("--sensor", choices=("lsm9ds1", "bmi270"), default="lsm9ds1")
    parser.add_argument("--sound", type=Path, help="int16 samples for the microphone")
    parser.add_argument("--sound-hz", type=int, default=16_000)
    parser.add_argument("--motion", type=Path, help="six int32 a sample: mg, then mdps")
    parser.add_argument("--motion-hz", type=float, default=100.0)
    parser.add_argument("--unpaced", action="store_true", help="as fast as it goes")
    options = parser.parse_args(arguments)
    try:
        session = Session(options)
    except (ProgramError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not session.run():  # an upload that broke off
        sys.stderr.write("What the flash holds does not start: the board stays in its bootloader.\n")
        session = Session(options, stays_in_bootloader=True)
        session.run()
    session.save()
    return 1 if session._chip.failed else 0


if __name__ == "__main__":
    sys.exit(main())
