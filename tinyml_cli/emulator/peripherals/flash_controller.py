"""NVMC: erases and writes flash. 0x4001E000.

    0x400 READY, 0x408 READYNEXT: always 1, as it is done at once
    0x504 CONFIG: 0 read only, 1 writing, 2 erasing
    0x508 ERASEPAGE (an address in a page of 4 KB), 0x50C ERASEALL, 0x514 ERASEUICR

A write to flash can only clear bits; without CONFIG = 1 it does nothing (on the chip: a bus fault).
"""

from __future__ import annotations

from tinyml_cli.emulator.peripherals.registers import Peripheral

_READY, _READYNEXT = 0x400, 0x408
_CONFIG, _ERASEPAGE, _ERASEALL, _ERASEUICR = 0x504, 0x508, 0x50C, 0x514
_WRITING, _ERASING = 1, 2


class FlashController(Peripheral):
    """The bytes themselves are the chip's memory."""

    @property
    def is_writing(self) -> bool:
        """Whether stores to flash take effect."""
        return self.registers.get(_CONFIG, 0) == _WRITING

    def read(self, offset: int) -> int:
        return 1 if offset in (_READY, _READYNEXT) else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if self.registers.get(_CONFIG, 0) != _ERASING:
            return
        if offset == _ERASEPAGE:
            self.chip.memory.erase_page(value)
        elif offset == _ERASEALL and value & 1:
            self.chip.memory.erase_all()
        elif offset == _ERASEUICR and value & 1:
            self.chip.memory.erase_uicr()
