"""What the board's bootloader answers: SAM-BA with Arduino's extensions, as Arduino's bossac asks it.

Not the bootloader's own code. BOSSA 1.9.1-arduino2 (Samba.cpp, Device.cpp) is the source of the commands;
each ends with `#`, numbers are hexadecimal:

    N   binary mode          V   version          I   name of the chip          K   reset
    Xaddress   erases from there on          Saddress,bytes   takes bytes into a buffer in RAM
    Ysource,0   chooses what to copy          Yaddress,bytes   copies it to flash
    Zaddress,bytes   checksum          Raddress,bytes and waddress,4   read          Wwrites and Go do nothing

Addresses of flash count from the program's start, 0x10000, as the bootloader protects itself.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable

from tinyml_cli.emulator.memory import APPLICATION, FLASH_BYTES, PAGE_BYTES, Memory

VENDOR, PRODUCT = 0x2341, 0x005A
_COMMAND = re.compile(rb"([A-Za-z])([0-9A-Fa-f]*)(?:,([0-9A-Fa-f]*))?#")
_NAME = b"nRF52840-QIAA\n\r"
_VERSION = b"Arduino Bootloader (SAM-BA extended) 2.0 [Arduino:IKXYZ]\n\r"
_LONGEST_COMMAND = 32


class SamBa:
    """A bootloader that waits for commands.

    Args:
        memory: whose flash it writes.
        answer: where its bytes go.

    Attributes:
        is_done: whether it was told to reset.
    """

    def __init__(self, memory: Memory, answer: Callable[[bytes], None]) -> None:
        self._memory = memory
        self._answer = answer
        self._input = bytearray()
        self._awaited = 0  # bytes of S that are still to come
        self._buffer = bytearray()
        self.is_done = False

    def feed(self, data: bytes) -> None:
        """Takes bytes from the port."""
        self._input += data
        while self._input and not self.is_done:
            if self._awaited:
                taken = self._input[: self._awaited]
                del self._input[: len(taken)]
                self._awaited -= len(taken)
                self._buffer += taken
                continue
            match = _COMMAND.match(bytes(self._input[:_LONGEST_COMMAND]))
            if match is None:
                if b"#" not in self._input and len(self._input) < _LONGEST_COMMAND:
                    return
                del self._input[0]  # noise
                continue
            del self._input[: match.end()]
            first, second = (int(part or b"0", 16) for part in match.groups()[1:])
            self._do(match[1].decode(), first, second)

    def _do(self, name: str, first: int, second: int) -> None:
        if name == "S":
            self._buffer.clear()
            self._awaited = second
        elif name == "K":
            self.is_done = True
        elif name == "X":
            start = APPLICATION + first // PAGE_BYTES * PAGE_BYTES
            if start < FLASH_BYTES:
                self._memory.erase(start, FLASH_BYTES - start)
            self._answer(b"X\n\r")
        elif name == "Y":
            if second:
                self._copy(APPLICATION + first, second)
            self._answer(b"Y\n\r")
        elif name == "Z":
            crc = binascii.crc_hqx(self._flash(first, second), 0)
            self._answer(b"Z%08X#\n\r" % crc)
        elif name == "R":
            self._answer(self._flash(first, second))
        elif name == "w":
            self._answer(self._flash(first, 4))
        else:
            self._answer({"N": b"\n\r", "V": _VERSION, "I": _NAME}.get(name, b""))

    def _flash(self, address: int, count: int) -> bytes:
        start = APPLICATION + address
        return self._memory.read(start, max(0, min(count, FLASH_BYTES - start))).ljust(
            min(count, 1 << 16), b"\xff"
        )

    def _copy(self, address: int, count: int) -> None:
        data = bytes(self._buffer[:count])[: max(0, FLASH_BYTES - address)]
        if data:
            self._memory.program(address, data)
