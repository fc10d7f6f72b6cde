"""What all peripherals of the nRF52840 have in common.

nRF52840 Product Specification, "Peripheral interface": a peripheral has 4 KB at 0x40000000 + 0x1000 * ID, and
ID is its interrupt's number. In it lie

    0x000…0x0FC  tasks: writing 1 starts something
    0x100…0x1FC  events: 1 once something happened, until the program writes 0
    0x200        SHORTS: events that start tasks without the program
    0x300        INTEN, 0x304 INTENSET, 0x308 INTENCLR: which events interrupt; bit n is the event at 0x100
        + 4n
    0x400…       what is the peripheral's own
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.wiring import Wiring

_EVENTS = 0x100
_SHORTS = 0x200
_INTEN, _INTENSET, _INTENCLR = 0x300, 0x304, 0x308
_WORD = 0xFFFF_FFFF


class Peripheral:
    """Registers that hold what was written, tasks that do nothing, and the way from events to interrupts.

    Attributes:
        name: as the product specification calls it.
        base: address of the first register.
        registers: offset -> value, of those that were written or have a reset value.
        events: bit n: the event at 0x100 + 4n has happened.
        SHORTS: bit of SHORTS -> (number of the event, offset of the task).
        RESET: offset -> value after a reset, where it is not 0.
    """

    SHORTS: ClassVar[dict[int, tuple[int, int]]] = {}
    RESET: ClassVar[dict[int, int]] = {}

    def __init__(self, chip: Wiring, name: str, base: int) -> None:
        self.chip = chip
        self.name = name
        self.base = base
        self.irq = base >> 12 & 0x3F
        self.registers: dict[int, int] = {}
        self.events = 0
        self.inten = 0
        self.reset()

    def reset(self) -> None:
        """What a reset leaves."""
        self.registers = dict(self.RESET)
        self.events = self.inten = 0
        self._tell_interrupt()

    def read(self, offset: int) -> int:
        """The word at an offset."""
        if _EVENTS <= offset < _SHORTS:
            return self.events >> (offset - _EVENTS >> 2) & 1
        if _INTEN <= offset <= _INTENCLR:
            return self.inten
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Writes the word at an offset."""
        if offset < _EVENTS:
            if value & 1:
                self.task(offset)
        elif offset < _SHORTS:
            if value & 1:
                self.event(offset)
            else:
                self.events &= ~(1 << (offset - _EVENTS >> 2))
                self._tell_interrupt()
        elif _INTEN <= offset <= _INTENCLR:
            if offset == _INTEN:
                self.inten = value
            elif offset == _INTENSET:
                self.inten |= value
            else:
                self.inten &= ~value & _WORD
            self._tell_interrupt()
        else:
            self.registers[offset] = value

    def task(self, offset: int) -> None:
        """Starts the task at an offset."""

    def event(self, offset: int) -> None:
        """The event at an offset happens: shortcuts, then the interrupt."""
        number = offset - _EVENTS >> 2
        self.events |= 1 << number
        if shorts := self.registers.get(_SHORTS, 0):
            for bit, (source, task) in self.SHORTS.items():
                if source == number and shorts >> bit & 1:
                    self.task(task)
        self._tell_interrupt()

    def advance(self) -> None:
        """The time that `Chip.wake_at` was asked for has come."""

    def _tell_interrupt(self) -> None:
        self.chip.interrupts.set_line(self.irq, bool(self.events & self.inten))
