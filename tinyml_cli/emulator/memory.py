"""The nRF52840's memories.

nRF52840 Product Specification, "Memory" and "FICR", "UICR":

    0x00000000  1 MB of flash; on this board the bootloader has the first 64 KB
    0x10000000  FICR: what the factory wrote; 0x10 CODEPAGESIZE, 0x14 CODESIZE, 0x60 DEVICEID, 0xA4
        DEVICEADDR,
                0x100 INFO.PART, 0x104 VARIANT, 0x10C RAM, 0x110 FLASH
    0x10001000  UICR: settings in flash; 0x200 PSELRESET, 0x20C APPROTECT, 0x304 REGOUT0
    0x20000000  256 KB of RAM
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from pathlib import Path
from typing import Any

FLASH_BYTES = 1 << 20
PAGE_BYTES = 4096
RAM, RAM_BYTES = 0x2000_0000, 256 * 1024
APPLICATION = 0x1_0000
DEVICE_ID = 0x6F87_C026_42E3_D4B6  # any: made into the USB serial number
_READ_AND_EXECUTE, _ALL = 1 | 4, 7  # Unicorn's UC_PROT_READ, UC_PROT_EXEC; UC_PROT_ALL
_FICR, _UICR = 0x1000_0000, 0x1000_1000
_FICR_WORDS = {
    0x010: PAGE_BYTES,
    0x014: FLASH_BYTES // PAGE_BYTES,
    0x060: DEVICE_ID & 0xFFFF_FFFF,
    0x064: DEVICE_ID >> 32,
    0x0A0: 1,
    0x0A4: DEVICE_ID & 0xFFFF_FFFF,
    0x0A8: DEVICE_ID >> 32,
    0x100: 0x52840,
    0x104: int.from_bytes(b"AAD0", "big"),
    0x10C: RAM_BYTES // 1024,
    0x110: FLASH_BYTES // 1024,
    0x130: 8,
    0x134: 3,
}
_UICR_WORDS = {0x200: 18, 0x204: 18, 0x20C: 0xFFFF_FFFE, 0x304: 0xFFFF_FFFD}


class ProgramError(Exception):
    """The file is no program for this chip."""


class Memory:
    """Reads and writes as the chip's buses do; flash is written through `program`.

    Args:
        unicorn: the processor, whose address space this fills.

    Attributes:
        is_changed: whether flash was written or erased since somebody cleared this.
    """

    def __init__(self, unicorn: Any) -> None:
        self._unicorn = unicorn
        self.is_changed = False
        # Read without Unicorn, but written through it: it may have translated the code there.
        self._flash, self._ram = mmap.mmap(-1, FLASH_BYTES), mmap.mmap(-1, RAM_BYTES)
        unicorn.mem_map_ptr(0, FLASH_BYTES, _READ_AND_EXECUTE, _place(self._flash))
        unicorn.mem_map(_FICR, 0x2000, _READ_AND_EXECUTE)
        unicorn.mem_map_ptr(RAM, RAM_BYTES, _ALL, _place(self._ram))
        unicorn.mem_write(0, b"\xff" * FLASH_BYTES)
        unicorn.mem_write(_FICR, b"\xff" * 0x2000)
        for base, words in ((_FICR, _FICR_WORDS), (_UICR, _UICR_WORDS)):
            for offset, value in words.items():
                self.write_word(base + offset, value)

    def read(self, address: int, count: int) -> bytes:
        """Bytes anywhere in memory.

        Raises:
            ProgramError: no memory there; a program gave a peripheral a wrong pointer.
        """
        if 0 <= (at := address - RAM) <= RAM_BYTES - count:
            return self._ram[at : at + count]
        if 0 <= address <= FLASH_BYTES - count:
            return self._flash[address : address + count]
        try:
            return bytes(self._unicorn.mem_read(address, count)) if count else b""
        except Exception as error:
            raise ProgramError(f"no memory at {address:#010x} ({count} bytes)") from error

    def write(self, address: int, data: bytes) -> None:
        """Bytes to RAM, by a peripheral (EasyDMA reaches no other memory).

        Raises:
            ProgramError: they do not all lie in RAM.
        """
        if data and not RAM <= address <= RAM + RAM_BYTES - len(data):
            raise ProgramError(f"no RAM at {address:#010x} ({len(data)} bytes)")
        if data:
            self._unicorn.mem_write(address, data)

    def read_word(self, address: int) -> int:
        """A word, little endian."""
        return int.from_bytes(self.read(address, 4), "little")

    def write_word(self, address: int, value: int) -> None:
        """A word, little endian, past all protection."""
        self._unicorn.mem_write(address, struct.pack("<I", value))

    def program(self, address: int, data: bytes) -> None:
        """Writes flash, which can only clear bits."""
        old = self.read(address, len(data))
        self._unicorn.mem_write(address, bytes(a & b for a, b in zip(old, data, strict=True)))
        self._forget(address, len(data))

    def erase_page(self, address: int) -> None:
        """Sets the bits of one page."""
        self.erase(address // PAGE_BYTES * PAGE_BYTES, PAGE_BYTES)

    def erase(self, address: int, count: int) -> None:
        """Sets the bits of some flash."""
        self._unicorn.mem_write(address, b"\xff" * count)
        self._forget(address, count)

    def erase_program(self) -> None:
        """Sets the bits of the program's flash, but for the last page, which firmware keeps things in."""
        self.erase(APPLICATION, FLASH_BYTES - PAGE_BYTES - APPLICATION)

    def erase_all(self) -> None:
        """Sets the bits of the whole flash and of UICR."""
        self.erase(0, FLASH_BYTES)
        self.erase_uicr()

    def erase_uicr(self) -> None:
        """Sets the bits of UICR."""
        self._unicorn.mem_write(_UICR, b"\xff" * 0x1000)

    def flash(self) -> bytes:
        """The whole flash."""
        return self.read(0, FLASH_BYTES)

    def load(self, start: int, data: bytes) -> None:
        """Puts bytes into flash as they are."""
        self._unicorn.mem_write(start, data)
        self._forget(start, len(data))

    def _forget(self, address: int, count: int) -> None:
        """What was translated of the old code there."""
        self.is_changed = True
        self._unicorn.ctl_remove_cache(address, address + count)


def _place(memory: mmap.mmap) -> int:
    """Where it lies in this process."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def read_program(path: Path) -> list[tuple[int, bytes]]:
    """The pieces of flash that an ELF file fills: (address, bytes).

    Raises:
        ProgramError: not an ELF file for Arm, or one that was not linked for this board.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if elf["e_machine"] != "EM_ARM":
                raise ProgramError("it is not a program for an Arm processor")
            pieces = [
                (int(segment["p_paddr"]), bytes(segment.data()))
                for segment in elf.iter_segments()
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
            ]
    except (OSError, ELFError, ValueError, KeyError) as error:
        raise ProgramError(str(error) or "it is not a whole ELF file") from error
    if not any(start == APPLICATION for start, _ in pieces):
        raise ProgramError(f"it was not linked for this board, where programs begin at {APPLICATION:#x}")
    if any(start + len(data) > FLASH_BYTES for start, data in pieces):
        raise ProgramError("it does not fit into the nRF52840's flash")
    return pieces
