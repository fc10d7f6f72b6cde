"""CLOCK and POWER share one page and one interrupt (0x40000000, ID 0). Oscillators start at once.

0x000 HFCLKSTART → 0x100 HFCLKSTARTED     0x008 LFCLKSTART → 0x104 LFCLKSTARTED     0x010 CAL → 0x10C DONE
0x11C USBDETECTED, 0x120 USBREMOVED, 0x124 USBPWRRDY: the 5 V of the USB cable
0x400 RESETREAS: why the last reset happened, cleared by writing 1
0x408 HFCLKRUN, 0x40C HFCLKSTAT, 0x414 LFCLKRUN, 0x418 LFCLKSTAT     0x438 USBREGSTATUS
0x51C GPREGRET: a byte that survives a reset; the Arduino core leaves its wish for the bootloader there
"""

from __future__ import annotations

from tinyml_cli.emulator.peripherals.registers import Peripheral

RESETREAS = 0x400
GPREGRET = 0x51C
DOG, SREQ = 1 << 1, 1 << 2  # bits of RESETREAS: watchdog, soft reset
_USBDETECTED, _USBPWRRDY = 0x11C, 0x124
_HFCLKRUN, _HFCLKSTAT, _LFCLKRUN, _LFCLKSTAT = 0x408, 0x40C, 0x414, 0x418
_USBREGSTATUS = 0x438
_LFCLKSRC = 0x518
_RUNNING = 1 << 16
_DONE = {0x000: 0x100, 0x008: 0x104, 0x010: 0x10C}  # task -> its event
_VBUS_US = 1500  # after the reset, so that the program hears of it as of a cable


class ClockPower(Peripheral):
    """The cable is always plugged in."""

    def reset(self) -> None:
        """GPREGRET and RESETREAS outlive it."""
        kept = {offset: self.registers.get(offset, 0) for offset in (RESETREAS, GPREGRET)}
        super().reset()
        self.registers.update(kept)
        self._regulated = False
        self.chip.wake_at(self, self.chip.now + self.chip.cycles(_VBUS_US))

    def advance(self) -> None:
        self.event(_USBDETECTED)

    def power_usb(self) -> None:
        """The USB regulator's output is ready: follows the enabling of USBD."""
        self._regulated = True
        self.event(_USBPWRRDY)

    def read(self, offset: int) -> int:
        if offset == _USBREGSTATUS:
            return 1 | self._regulated << 1
        if offset in (_HFCLKSTAT, _LFCLKSTAT):
            running = self.registers.get(offset - 4, 0)
            source = 1 if offset == _HFCLKSTAT else self.registers.get(_LFCLKSRC, 0)
            return _RUNNING * running | source * running
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == RESETREAS:
            self.registers[offset] = self.registers.get(offset, 0) & ~value
        elif offset == GPREGRET:
            self.registers[offset] = value & 0xFF
        else:
            super().write(offset, value)

    def task(self, offset: int) -> None:
        if offset in (0x000, 0x008):
            self.registers[_HFCLKRUN if offset == 0 else _LFCLKRUN] = 1
        elif offset in (0x004, 0x00C):
            self.registers[_HFCLKRUN if offset == 4 else _LFCLKRUN] = 0
        if offset in _DONE:
            self.event(_DONE[offset])
