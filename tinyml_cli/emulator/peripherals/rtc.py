"""RTC0…2: 24-bit counters from the 32,768 Hz clock, divided by PRESCALER + 1. 0x4000B000, 0x40011000,
0x40024000.

0x000 START, 0x004 STOP, 0x008 CLEAR, 0x00C TRIGOVRFLW (the counter becomes 0xFFFFF0)
0x100 TICK, 0x104 OVRFLW, 0x140 + 4n COMPARE[n]
0x340 EVTEN, 0x344 EVTENSET, 0x348 EVTENCLR: events that happen at all, besides those that interrupt
0x504 COUNTER, 0x508 PRESCALER, 0x540 + 4n CC[n]
"""

from __future__ import annotations

from tinyml_cli.emulator.peripherals.registers import Peripheral

_START, _STOP, _CLEAR, _TRIGOVRFLW = 0x000, 0x004, 0x008, 0x00C
_TICK, _OVRFLW, _COMPARE = 0x100, 0x104, 0x140
_EVTEN, _EVTENSET, _EVTENCLR = 0x340, 0x344, 0x348
_COUNTER, _PRESCALER, _CC = 0x504, 0x508, 0x540
_CHANNELS = 4
_WRAP = 1 << 24
_TICK_BIT, _OVRFLW_BIT = 1 << 0, 1 << 1
_HZ = 32_768


class Rtc(Peripheral):
    """The counter is worked out from the time when it is asked for."""

    def reset(self) -> None:
        super().reset()
        self._running = False
        self._since = 0  # when the counter was `_base`
        self._base = 0
        self._seen = 0  # ticks since `_since` of which events were made
        self._evten = 0

    def read(self, offset: int) -> int:
        if offset == _COUNTER:
            return self._count()
        if _EVTEN <= offset <= _EVTENCLR:
            return self._evten
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == _EVTEN:
            self._evten = value
        elif offset == _EVTENSET:
            self._evten |= value
        elif offset == _EVTENCLR:
            self._evten &= ~value
        else:
            super().write(offset, value & (_WRAP - 1) if offset >= _CC else value)
        if offset >= 0x300:
            self._plan()

    def task(self, offset: int) -> None:
        if offset == _START and not self._running:
            self._restart(self._base)
            self._running = True
        elif offset == _STOP:
            self._base = self._count()
            self._running = False
        elif offset == _CLEAR:
            self._restart(0)
        elif offset == _TRIGOVRFLW:
            self._restart(_WRAP - 16)
        self._plan()

    def advance(self) -> None:
        """Makes the events of the ticks since the last time."""
        if not self._running:
            return
        before, self._seen = self._seen, self._ticks()
        passed = self._seen - before
        wanted = self._wanted()
        if passed and wanted & _TICK_BIT:
            self.event(_TICK)
        if wanted & _OVRFLW_BIT and (self._base + before) % _WRAP + passed >= _WRAP:
            self.event(_OVRFLW)
        for channel in range(_CHANNELS):
            distance = (self.registers.get(_CC + 4 * channel, 0) - self._base - before) % _WRAP
            if wanted >> (16 + channel) & 1 and 0 < distance <= passed:
                self.event(_COMPARE + 4 * channel)
        self._plan()

    def _wanted(self) -> int:
        return self._evten | self.inten

    def _restart(self, base: int) -> None:
        self._base = base
        self._since = self.chip.now
        self._seen = 0

    def _ticks(self) -> int:
        hz = self.chip.HZ * (self.registers.get(_PRESCALER, 0) + 1)
        return (self.chip.now - self._since) * _HZ // hz

    def _count(self) -> int:
        return (self._base + (self._ticks() if self._running else 0)) % _WRAP

    def _plan(self) -> None:
        """Asks to be called at the next tick that has an event."""
        wanted = self._wanted()
        if not self._running or not wanted:
            self.chip.wake_at(self, None)
            return
        count = self._base + self._seen
        distances = [
            (self.registers.get(_CC + 4 * channel, 0) - count) % _WRAP or _WRAP
            for channel in range(_CHANNELS)
            if wanted >> (16 + channel) & 1
        ]
        if wanted & _TICK_BIT:
            distances.append(1)
        if wanted & _OVRFLW_BIT:
            distances.append(_WRAP - count % _WRAP)
        if not distances:
            self.chip.wake_at(self, None)
            return
        hz = self.chip.HZ * (self.registers.get(_PRESCALER, 0) + 1)
        self.chip.wake_at(self, self._since + -(-(self._seen + min(distances)) * hz // _HZ))
