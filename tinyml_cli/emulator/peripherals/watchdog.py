"""WDT: resets the chip unless it is fed. 0x40010000.

    0x000 START     0x100 TIMEOUT (two ticks of 32,768 Hz before the reset)
    0x400 RUNSTATUS, 0x404 REQSTATUS (bit n: RR[n] has still to be written)
    0x504 CRV (reload value, ticks of 32,768 Hz), 0x508 RREN (which RR are needed), 0x50C CONFIG
    0x600 + 4n RR[n]: 0x6E524635 feeds

Once it runs, CRV, RREN and CONFIG cannot be changed and nothing but a power cycle, a watchdog reset or a pin
reset stops it: a soft reset, as into the bootloader, does not.
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral

_START, _TIMEOUT = 0x000, 0x100
_RUNSTATUS, _REQSTATUS, _CRV, _RREN, _CONFIG, _RR = 0x400, 0x404, 0x504, 0x508, 0x50C, 0x600
_RELOAD = 0x6E52_4635
_HZ = 32_768
_WARNING_TICKS = 2


class Watchdog(Peripheral):
    """Counts in the chip's time; paused in no state."""

    RESET: ClassVar = {_CRV: 0xFFFF_FFFF, _RREN: 1, _CONFIG: 1}

    def __init__(self, *arguments: object) -> None:
        self.running = False
        super().__init__(*arguments)  # type: ignore[arg-type]

    def reset(self) -> None:
        """A soft reset leaves a watchdog that runs as it is."""
        if not self.running:
            super().reset()
            self._missing = 0
            self._warned = False

    def power_cycle(self) -> None:
        """Stops it."""
        self.running = False
        self.chip.wake_at(self, None)
        self.reset()

    def read(self, offset: int) -> int:
        if offset == _RUNSTATUS:
            return int(self.running)
        if offset == _REQSTATUS:
            return self._missing
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if _RR <= offset < _RR + 32:
            if self.running and value == _RELOAD:
                self._missing &= ~(1 << (offset - _RR >> 2))
                if not self._missing:
                    self._reload()
        elif not (self.running and offset in (_CRV, _RREN, _CONFIG)):
            super().write(offset, value)

    def task(self, offset: int) -> None:
        if offset == _START and not self.running:
            self.running = True
            self._reload()

    def advance(self) -> None:
        if self._warned:
            self.chip.watchdog_bites()
            return
        self._warned = True
        self.event(_TIMEOUT)
        self.chip.wake_at(self, self.chip.now + _WARNING_TICKS * self.chip.HZ // _HZ)

    def _reload(self) -> None:
        self._missing = self.registers[_RREN]
        self._warned = False
        ticks = self.registers[_CRV] + 1
        self.chip.wake_at(self, self.chip.now + ticks * self.chip.HZ // _HZ)
