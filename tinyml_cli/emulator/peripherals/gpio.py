"""GPIO: two ports in one page, P0 (32 pins) and, 0x300 above it, P1 (16 pins). 0x50000000.

    0x504 OUT, 0x508 OUTSET, 0x50C OUTCLR, 0x510 IN, 0x514 DIR, 0x518 DIRSET, 0x51C DIRCLR
    0x520 LATCH, 0x700 + 4n PIN_CNF[n] (bit 0 is the direction, bits 3:2 the pull, 3 up)

An input reads what the pin is pulled to; an output reads back what it drives. Nothing outside drives a pin.
"""

from __future__ import annotations

from tinyml_cli.emulator.peripherals.registers import Peripheral

_P1 = 0x300
_OUT, _OUTSET, _OUTCLR, _IN, _DIR, _DIRSET, _DIRCLR = 0x504, 0x508, 0x50C, 0x510, 0x514, 0x518, 0x51C
_PIN_CNF = 0x700
_PULL_UP = 3


class Gpio(Peripheral):
    """Both ports."""

    def reset(self) -> None:
        self.registers = {}
        self.events = self.inten = 0
        self.out = [0, 0]
        self.direction = [0, 0]
        self.pulled_up = [0, 0]

    def level(self, pin: int) -> bool:
        """What an output pin drives; pins of P1 follow those of P0: 32 is P1.00."""
        return bool(self.out[pin >> 5] >> (pin & 31) & 1)

    def is_output(self, pin: int) -> bool:
        """Whether the program drives the pin."""
        return bool(self.direction[pin >> 5] >> (pin & 31) & 1)

    def read(self, offset: int) -> int:
        port, offset = self._port(offset)
        if offset in (_OUT, _OUTSET, _OUTCLR):
            return self.out[port]
        if offset in (_DIR, _DIRSET, _DIRCLR):
            return self.direction[port]
        if offset == _IN:
            driven = self.direction[port]
            return self.out[port] & driven | self.pulled_up[port] & ~driven
        return self.registers.get(port * _P1 + offset, 0)

    def write(self, offset: int, value: int) -> None:
        port, offset = self._port(offset)
        if offset in (_OUT, _OUTSET, _OUTCLR):
            self.out[port] = _changed(self.out[port], offset - _OUT, value)
            self.chip.board.pins_changed()
        elif offset in (_DIR, _DIRSET, _DIRCLR):
            self.direction[port] = _changed(self.direction[port], offset - _DIR, value)
            self.chip.board.pins_changed()
        else:
            self.registers[port * _P1 + offset] = value
            if _PIN_CNF <= offset < _PIN_CNF + 0x80:
                bit = 1 << (offset - _PIN_CNF >> 2)
                self.direction[port] = self.direction[port] & ~bit | bit * (value & 1)
                self.pulled_up[port] = self.pulled_up[port] & ~bit | bit * (value >> 2 & 3 == _PULL_UP)

    def _port(self, offset: int) -> tuple[int, int]:
        return (1, offset - _P1) if offset >= _P1 + _OUT else (0, offset)


def _changed(word: int, kind: int, value: int) -> int:
    """The word after a write to it (kind 0), its set register (4) or its clear register (8)."""
    return (value, word | value, word & ~value)[kind >> 2] & 0xFFFF_FFFF
