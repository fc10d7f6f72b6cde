"""What the parts of the model know of each other: the chip for its units, the board for the chip."""

from __future__ import annotations

from typing import Protocol

from tinyml_cli.emulator.memory import Memory
from tinyml_cli.emulator.parts.i2c import I2cPart
from tinyml_cli.emulator.parts.microphone import HeardSound


class Timed(Protocol):
    """Something that happens at a time."""

    def advance(self) -> None:
        """Its time has come."""


class Surface(Protocol):
    """What the chip is soldered to."""

    microphone: HeardSound

    def part(self, pins: tuple[int, int], address: int) -> I2cPart | None:
        """The part with that address on the bus with those pins (SCL, SDA)."""

    def pins_changed(self) -> None:
        """An output pin may drive something else."""

    def uart_sent(self, data: bytes) -> None:
        """The program sent bytes through a UART."""

    def chip_reset(self, reason: int) -> None:
        """The chip has reset itself; `reason` is a bit of RESETREAS."""


class Interrupts(Protocol):
    """Where peripherals report."""

    def set_line(self, interrupt: int, level: bool) -> None:
        """A peripheral's interrupt line is high or low."""


class Wiring(Protocol):
    """The chip, as its units see it.

    Attributes:
        now: cycles since power came.
    """

    HZ: int
    now: int
    board: Surface

    @property
    def memory(self) -> Memory:
        """Flash and RAM."""

    @property
    def interrupts(self) -> Interrupts:
        """Where interrupt lines end."""

    def cycles(self, us: float) -> int:
        """Cycles of so many microseconds."""

    def wake_at(self, unit: Timed, at: int | None) -> None:
        """Calls the `advance` of a unit at a time; None: not at all."""

    def usb_enabled(self) -> None:
        """The program has switched USBD on."""

    def watchdog_bites(self) -> None:
        """The watchdog was not fed."""

    def request_reset(self) -> None:
        """The program asks for a soft reset."""
