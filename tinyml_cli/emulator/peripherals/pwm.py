"""PWM0…3: up to four pins each, of which the model knows the duty. 0x4001C000, 0x40021000, 0x40022000,
0x4002D000.

    0x004 STOP, 0x008 SEQSTART[0], 0x00C SEQSTART[1], 0x010 NEXTSTEP
    0x104 STOPPED, 0x108 SEQSTARTED[n], 0x110 SEQEND[n], 0x118 PWMPERIODEND, 0x11C LOOPSDONE
    0x500 ENABLE, 0x508 COUNTERTOP, 0x510 DECODER (bits 2:0: 0 common, 1 grouped, 2 individual, 3 waveform)
    0x520 + 0x20n SEQ[n].PTR, 0x524 + 0x20n SEQ[n].CNT: half words in RAM; bit 15 inverts, the rest compares
    0x560 + 4n PSEL.OUT[n]: the pin, bit 31 for none

A pin is high from the compare value to COUNTERTOP (bit 15: from 0 to it).
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral

_STOP, _SEQSTART = 0x004, (0x008, 0x00C)
_STOPPED, _SEQSTARTED, _SEQEND, _PERIODEND, _LOOPSDONE = 0x104, 0x108, 0x110, 0x118, 0x11C
_ENABLE, _COUNTERTOP, _DECODER, _PTR, _CNT, _PSEL = 0x500, 0x508, 0x510, 0x520, 0x524, 0x560
_CHANNELS = 4
_DISCONNECTED = 1 << 31


class Pwm(Peripheral):
    """A sequence is over at once and its last values stay."""

    RESET: ClassVar = {_COUNTERTOP: 0x3FF} | {_PSEL + 4 * n: _DISCONNECTED for n in range(_CHANNELS)}
    SHORTS: ClassVar = {
        0: (4, _STOP),
        1: (5, _STOP),
        4: (7, _STOP),
        2: (7, _SEQSTART[0]),
        3: (7, _SEQSTART[1]),
    }

    def reset(self) -> None:
        super().reset()
        self._values = [0] * _CHANNELS
        self._playing = False

    def duty(self, pin: int) -> float | None:
        """Share of the time for which a pin is high; None where this unit does not drive it."""
        if not self._playing or not self.registers.get(_ENABLE, 0):
            return None
        for channel in range(_CHANNELS):
            if self.registers.get(_PSEL + 4 * channel, 0) == pin:
                value = self._values[channel]
                top = self.registers[_COUNTERTOP] or 1
                low = min(value & 0x7FFF, top) / top
                return low if value & 0x8000 else 1.0 - low
        return None

    def task(self, offset: int) -> None:
        if offset == _STOP:
            self.event(_STOPPED)
        elif offset in _SEQSTART:
            sequence = _SEQSTART.index(offset)
            self._load(sequence)
            self._playing = True
            self.event(_SEQSTARTED + 4 * sequence)
            self.event(_SEQEND + 4 * sequence)
            self.event(_PERIODEND)
            self.chip.board.pins_changed()

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset == _ENABLE:
            self._playing = self._playing and bool(value)
            self.chip.board.pins_changed()

    def _load(self, sequence: int) -> None:
        """Takes the last values of a sequence."""
        pointer = self.registers.get(_PTR + 0x20 * sequence, 0)
        count = self.registers.get(_CNT + 0x20 * sequence, 0) & 0x7FFF
        decoder = self.registers.get(_DECODER, 0) & 7
        size = (1, 2, 4, 4)[decoder & 3]
        if count < size:
            return
        data = self.chip.memory.read(pointer + 2 * (count - size), 2 * size)
        words = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
        self._values = [words[channel * size // _CHANNELS] for channel in range(_CHANNELS)]
        if decoder == 3:  # the fourth word is the period
            self._values = [*words[:3], 0]
            self.registers[_COUNTERTOP] = words[3] & 0x7FFF
