"""UART and UARTE: what a program sends is put in the emulator's log; nothing is ever received. 0x40002000,
0x40028000.

0x000 STARTRX, 0x004 STOPRX, 0x008 STARTTX, 0x00C STOPTX, 0x02C FLUSHRX
0x500 ENABLE: 4 is UART, byte by byte; 8 is UARTE, which moves whole buffers by itself
UART   0x11C TXDRDY                     0x51C TXD
UARTE  0x120 ENDTX, 0x144 RXTO, 0x14C RXSTARTED, 0x150 TXSTARTED, 0x158 TXSTOPPED
       0x544 TXD.PTR, 0x548 TXD.MAXCNT, 0x54C TXD.AMOUNT
"""

from __future__ import annotations

from tinyml_cli.emulator.peripherals.registers import Peripheral

_STARTRX, _STOPRX, _STARTTX, _STOPTX = 0x000, 0x004, 0x008, 0x00C
_TXDRDY, _ENDTX, _RXTO, _RXSTARTED, _TXSTARTED, _TXSTOPPED = 0x11C, 0x120, 0x144, 0x14C, 0x150, 0x158
_ENABLE, _TXD, _PTR, _MAXCNT, _AMOUNT = 0x500, 0x51C, 0x544, 0x548, 0x54C
_UARTE = 8


class Uart(Peripheral):
    """The sending half."""

    def leave_receiving(self) -> None:
        """As the bootloader leaves it: the Arduino core waits for its receiver to stop."""
        self.registers[_ENABLE] = _UARTE

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset == _TXD:
            self.chip.board.uart_sent(bytes([value & 0xFF]))
            self.event(_TXDRDY)

    def task(self, offset: int) -> None:
        is_uarte = self.registers.get(_ENABLE, 0) == _UARTE
        if offset == _STARTTX and is_uarte:
            count = self.registers.get(_MAXCNT, 0)
            self.event(_TXSTARTED)
            self.chip.board.uart_sent(self.chip.memory.read(self.registers.get(_PTR, 0), count))
            self.registers[_AMOUNT] = count
            self.event(_TXDRDY)
            self.event(_ENDTX)
        elif is_uarte and offset in (_STARTRX, _STOPRX, _STOPTX):
            self.event({_STARTRX: _RXSTARTED, _STOPRX: _RXTO, _STOPTX: _TXSTOPPED}[offset])
