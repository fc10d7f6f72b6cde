"""TIMER0…4: counters from a 16 MHz clock, prescaled by 2^PRESCALER. 0x40008000…A000, 0x4001A000, B000.

0x000 START, 0x004 STOP, 0x008 COUNT, 0x00C CLEAR, 0x040 + 4n CAPTURE[n] (copies the counter to CC[n])
0x140 + 4n COMPARE[n] (the counter has reached CC[n])
0x200 SHORTS: bit n COMPARE[n] → CLEAR, bit 8 + n COMPARE[n] → STOP
0x504 MODE (0 timer, 1 counter), 0x508 BITMODE (16, 8, 24, 32 bits), 0x510 PRESCALER, 0x540 + 4n CC[n]
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral

_START, _STOP, _COUNT, _CLEAR, _CAPTURE = 0x000, 0x004, 0x008, 0x00C, 0x040
_COMPARE = 0x140
_MODE, _BITMODE, _PRESCALER, _CC = 0x504, 0x508, 0x510, 0x540
_CHANNELS = 6
_BITS = (16, 8, 24, 32)
_CYCLES_A_TICK = 4  # of the 64 MHz clock, for 16 MHz


class Timer(Peripheral):
    """The counter is worked out from the time when it is asked for."""

    SHORTS: ClassVar = {n: (0x10 + n, _CLEAR) for n in range(_CHANNELS)} | {
        8 + n: (0x10 + n, _STOP) for n in range(_CHANNELS)
    }
    RESET: ClassVar = {_PRESCALER: 4}

    def reset(self) -> None:
        super().reset()
        self._running = False
        self._since = 0  # when the counter was `_base`
        self._base = 0
        self._seen = 0  # ticks since `_since` for which comparisons were made

    def task(self, offset: int) -> None:
        if offset == _START and not self._running:
            self._running = True
            self._restart(self._base)
        elif offset in (_STOP, 0x010):
            self._base = self._count()
            self._running = False
        elif offset == _CLEAR:
            self._restart(0)
        elif offset == _COUNT and self.registers.get(_MODE, 0):
            self._restart(self._count() + 1)
            self._compare(self._base)
        elif _CAPTURE <= offset < _CAPTURE + 4 * _CHANNELS:
            self.registers[_CC + offset - _CAPTURE] = self._count()
        self._plan()

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset >= _BITMODE:
            self._plan()

    def advance(self) -> None:
        """Sets the comparisons that were passed since the last time."""
        if not self._running:
            return
        mask = self._mask()
        before, self._seen = self._seen, self._ticks()
        passed = self._seen - before
        for channel in range(_CHANNELS):
            distance = (self.registers.get(_CC + 4 * channel, 0) - self._base - before) & mask
            if 0 < distance <= passed:
                self.event(_COMPARE + 4 * channel)
        self._plan()

    def _compare(self, count: int) -> None:
        for channel in range(_CHANNELS):
            if self.registers.get(_CC + 4 * channel, 0) == count:
                self.event(_COMPARE + 4 * channel)

    def _restart(self, base: int) -> None:
        self._base = base & self._mask()
        self._since = self.chip.now
        self._seen = 0

    def _mask(self) -> int:
        return (1 << _BITS[self.registers.get(_BITMODE, 0) & 3]) - 1

    def _period(self) -> int:
        return _CYCLES_A_TICK << self.registers.get(_PRESCALER, 0)

    def _ticks(self) -> int:
        return (self.chip.now - self._since) // self._period()

    def _count(self) -> int:
        ticks = self._ticks() if self._running and not self.registers.get(_MODE, 0) else 0
        return (self._base + ticks) & self._mask()

    def _plan(self) -> None:
        """Asks to be called at the next comparison that matters: one with an interrupt or a shortcut."""
        wanted = self.inten >> 16 | self.registers.get(0x200, 0) | self.registers.get(0x200, 0) >> 8
        if not self._running or not wanted & 0x3F or self.registers.get(_MODE, 0):
            self.chip.wake_at(self, None)
            return
        mask = self._mask()
        distances = (
            (self.registers.get(_CC + 4 * channel, 0) - self._base - self._seen) & mask or mask + 1
            for channel in range(_CHANNELS)
            if wanted >> channel & 1
        )
        self.chip.wake_at(self, self._since + (self._seen + min(distances)) * self._period())
