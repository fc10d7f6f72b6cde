"""What the I2C bus sees of a part: registers behind a pointer."""

from __future__ import annotations


class I2cPart:
    """A part with 256 registers: the first byte written is a register's number; it counts up with each byte.

    Attributes:
        address: 7 bits.
        registers: what reading gives, unless `load` says otherwise.
        increments: whether the pointer counts up by itself.
    """

    increments = True

    def __init__(self, address: int) -> None:
        self.address = address
        self.registers = bytearray(256)
        self._pointer = 0
        self._is_first = True

    def start(self) -> None:
        """A start condition, or a repeated one."""
        self._is_first = True

    def stop(self) -> None:
        """A stop condition."""

    def write(self, byte: int) -> None:
        """A byte from the chip."""
        if self._is_first:
            self._pointer = self.select(byte)
            self._is_first = False
            return
        self.store(self._pointer, byte)
        self._step()

    def read(self) -> int:
        """A byte to the chip."""
        value = self.load(self._pointer)
        self._step()
        return value

    def select(self, byte: int) -> int:
        """The register that a first byte names."""
        return byte

    def load(self, register: int) -> int:
        """What reading a register gives."""
        return self.registers[register]

    def store(self, register: int, value: int) -> None:
        """Takes what was written to a register."""
        self.registers[register] = value

    def _step(self) -> None:
        if self.increments:
            self._pointer = (self._pointer + 1) & 0xFF
