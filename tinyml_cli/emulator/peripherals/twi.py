"""TWI and TWIM: the I2C buses, two ways to drive each. 0x40003000 and 0x40004000.

Chosen by 0x500 ENABLE: 5 is TWI, byte by byte; 6 is TWIM, which moves whole buffers by itself.

    0x000 STARTRX, 0x008 STARTTX, 0x014 STOP, 0x01C SUSPEND, 0x020 RESUME
    0x104 STOPPED, 0x124 ERROR, 0x148 SUSPENDED        0x4C4 ERRORSRC (bit 1: nobody has the address)
    0x508 PSEL.SCL, 0x50C PSEL.SDA, 0x588 ADDRESS
    TWI   0x108 RXDREADY, 0x11C TXDSENT, 0x138 BB (a byte boundary)     0x518 RXD, 0x51C TXD
          SHORTS bit 0 BB → SUSPEND, bit 1 BB → STOP
    TWIM  0x14C RXSTARTED, 0x150 TXSTARTED, 0x15C LASTRX, 0x160 LASTTX
          0x534 RXD.PTR, 0x538 RXD.MAXCNT, 0x53C RXD.AMOUNT, 0x544 TXD.PTR, 0x548 TXD.MAXCNT, 0x54C TXD.AMOUNT
          SHORTS bit 7 LASTTX → STARTRX, 8 LASTTX → SUSPEND, 9 LASTTX → STOP, 10 LASTRX → STARTTX, 12 LASTRX
              → STOP

Transfers take no time.
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.parts.i2c import I2cPart
from tinyml_cli.emulator.peripherals.registers import Peripheral

_STARTRX, _STARTTX, _STOP, _SUSPEND, _RESUME = 0x000, 0x008, 0x014, 0x01C, 0x020
_STOPPED, _RXDREADY, _TXDSENT, _ERROR, _BB, _SUSPENDED = 0x104, 0x108, 0x11C, 0x124, 0x138, 0x148
_RXSTARTED, _TXSTARTED, _LASTRX, _LASTTX = 0x14C, 0x150, 0x15C, 0x160
_ERRORSRC, _ENABLE, _RXD, _TXD, _ADDRESS = 0x4C4, 0x500, 0x518, 0x51C, 0x588
_PSEL_SCL, _PSEL_SDA = 0x508, 0x50C
_RXD_PTR, _RXD_MAXCNT, _RXD_AMOUNT = 0x534, 0x538, 0x53C
_TXD_PTR, _TXD_MAXCNT, _TXD_AMOUNT = 0x544, 0x548, 0x54C
_TWIM = 6
_ADDRESS_NACK = 1 << 1


class Twi(Peripheral):
    """One bus; the parts on it are the board's."""

    SHORTS: ClassVar = {
        0: (14, _SUSPEND),
        1: (14, _STOP),
        7: (24, _STARTRX),
        8: (24, _SUSPEND),
        9: (24, _STOP),
        10: (23, _STARTTX),
        12: (23, _STOP),
    }

    def reset(self) -> None:
        super().reset()
        self._direction = ""  # "tx", "rx", or nothing between a stop and a start
        self._suspended = False

    def read(self, offset: int) -> int:
        value = super().read(offset)
        if offset == _RXD and self._direction == "rx" and not self._suspended:
            self._receive_byte()
        return value

    def write(self, offset: int, value: int) -> None:
        if offset == _ERRORSRC:
            self.registers[offset] = self.registers.get(offset, 0) & ~value
            return
        super().write(offset, value)
        if offset == _TXD and self._direction == "tx":
            self._send_byte(value & 0xFF)

    def task(self, offset: int) -> None:
        if offset == _STOP:
            if (part := self._part()) is not None:
                part.stop()
            self._direction, self._suspended = "", False
            self.event(_STOPPED)
        elif offset == _SUSPEND:
            self._suspended = True
            self.event(_SUSPENDED)
        elif offset == _RESUME:
            resumed, self._suspended = self._suspended, False
            if resumed and self._direction == "rx" and not self._is_twim:
                self._receive_byte()
        elif offset in (_STARTRX, _STARTTX):
            self._start("rx" if offset == _STARTRX else "tx")

    @property
    def _is_twim(self) -> bool:
        return self.registers.get(_ENABLE, 0) == _TWIM

    def _part(self) -> I2cPart | None:
        pins = self.registers.get(_PSEL_SCL, 0), self.registers.get(_PSEL_SDA, 0)
        return self.chip.board.part(pins, self.registers.get(_ADDRESS, 0))

    def _start(self, direction: str) -> None:
        self._direction, self._suspended = direction, False
        part = self._part()
        if part is not None:
            part.start()
        if self._is_twim:
            self._move(direction, part)
        elif direction == "rx":
            self._receive_byte()

    def _refuse(self) -> None:
        self.registers[_ERRORSRC] = self.registers.get(_ERRORSRC, 0) | _ADDRESS_NACK
        self.event(_ERROR)

    def _send_byte(self, byte: int) -> None:
        part = self._part()
        if part is None:
            self._refuse()
            return
        part.write(byte)
        self.event(_TXDSENT)

    def _receive_byte(self) -> None:
        part = self._part()
        if part is None:
            self._refuse()
            return
        self.registers[_RXD] = part.read()
        self.event(_BB)
        self.event(_RXDREADY)

    def _move(self, direction: str, part: I2cPart | None) -> None:
        """TWIM: a whole buffer."""
        receives = direction == "rx"
        self.event(_RXSTARTED if receives else _TXSTARTED)
        if part is None:
            self._refuse()
            return
        if receives:
            count = self.registers.get(_RXD_MAXCNT, 0)
            self.chip.memory.write(self.registers.get(_RXD_PTR, 0), bytes(part.read() for _ in range(count)))
            self.registers[_RXD_AMOUNT] = count
        else:
            count = self.registers.get(_TXD_MAXCNT, 0)
            for byte in self.chip.memory.read(self.registers.get(_TXD_PTR, 0), count):
                part.write(byte)
            self.registers[_TXD_AMOUNT] = count
        self.event(_LASTRX if receives else _LASTTX)
