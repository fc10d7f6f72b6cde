"""PDM: the microphone's interface; writes 16-bit samples to RAM by itself. 0x4001D000.

    0x000 START, 0x004 STOP     0x100 STARTED (PTR was taken over), 0x104 STOPPED, 0x108 END (the buffer is
        full)
    0x500 ENABLE, 0x504 PDMCLKCTRL, 0x508 MODE (bit 0: mono), 0x518 GAINL, 0x51C GAINR, 0x520 RATIO (64 or 80)
    0x560 SAMPLE.PTR, 0x564 SAMPLE.MAXCNT (samples)

Buffers are double: PTR of the next one is taken over while the last one ends. Samples are the recording's as
they are: the gain and the filter of the chip are not modelled.
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral

_START, _STOP = 0x000, 0x004
_STARTED, _STOPPED, _END = 0x100, 0x104, 0x108
_ENABLE, _PDMCLKCTRL, _MODE, _RATIO, _PTR, _MAXCNT = 0x500, 0x504, 0x508, 0x520, 0x560, 0x564
_MONO = 1
# PDMCLKCTRL -> Hz: 32 MHz divided by whole numbers.
_CLOCK_HZ = {
    0x0800_0000: 1_000_000,
    0x0840_0000: 1_032_258,
    0x0880_0000: 1_066_667,
    0x0980_0000: 1_230_769,
    0x0A00_0000: 1_280_000,
    0x0A80_0000: 1_333_333,
}


class Pdm(Peripheral):
    """Takes what the board's microphone hears."""

    RESET: ClassVar = {_PDMCLKCTRL: 0x0840_0000, 0x518: 0x28, 0x51C: 0x28}

    def reset(self) -> None:
        super().reset()
        self._buffer: tuple[int, int] | None = None

    @property
    def rate_hz(self) -> float:
        """Samples a second, of each channel."""
        clock_hz = _CLOCK_HZ.get(self.registers[_PDMCLKCTRL], _CLOCK_HZ[0x0840_0000])
        return clock_hz / (80 if self.registers.get(_RATIO, 0) & 1 else 64)

    def task(self, offset: int) -> None:
        if offset == _START and self.registers.get(_ENABLE, 0):
            self._take_buffer()
        elif offset == _STOP:
            self._buffer = None
            self.chip.wake_at(self, None)
            self.event(_STOPPED)

    def advance(self) -> None:
        if self._buffer is None:
            return
        pointer, count = self._buffer
        channels = 1 if self.registers.get(_MODE, 0) & _MONO else 2
        heard = self.chip.board.microphone.take(count // channels, self.rate_hz)
        if channels == 2:  # one microphone: the other channel's half period reads the same pin
            heard = b"".join(heard[at : at + 2] * 2 for at in range(0, len(heard), 2))
        self.chip.memory.write(pointer, heard)
        self.event(_END)
        self._take_buffer()

    def _take_buffer(self) -> None:
        count = self.registers.get(_MAXCNT, 0)
        self._buffer = (self.registers.get(_PTR, 0), count)
        channels = 1 if self.registers.get(_MODE, 0) & _MONO else 2
        us = max(1, count // channels) * 1e6 / self.rate_hz
        self.chip.wake_at(self, self.chip.now + self.chip.cycles(us))
        self.event(_STARTED)
