"""RNG: random bytes, here the same ones in every run. 0x4000D000.

0x000 START, 0x004 STOP     0x100 VALRDY     0x200 SHORTS: bit 0 VALRDY → STOP     0x504 CONFIG, 0x508 VALUE
"""

from __future__ import annotations

import random
from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral

_START, _STOP, _VALRDY, _VALUE = 0x000, 0x004, 0x100, 0x508
_BYTE_US = 30


class RandomNumbers(Peripheral):
    """One byte every 30 µs."""

    SHORTS: ClassVar = {0: (0, _STOP)}

    def reset(self) -> None:
        super().reset()
        self._random = random.Random(52840)

    def task(self, offset: int) -> None:
        running = offset == _START
        self.chip.wake_at(self, self.chip.now + self.chip.cycles(_BYTE_US) if running else None)

    def advance(self) -> None:
        self.registers[_VALUE] = self._random.randrange(256)
        self.task(_START)
        self.event(_VALRDY)
