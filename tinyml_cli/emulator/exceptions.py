"""Interrupts and exceptions: NVIC, system control block, SysTick and cycle counter at 0xE0000000.

Arm v7-M Architecture Reference Manual (DDI 0403E), B1.5 and B3. Exceptions have numbers: 1 reset, 2 NMI, 3
hard fault, 11 SVC, 14 PendSV, 15 SysTick, 16 + n interrupt n. Lower priorities come first; the nRF52840 has
three bits of priority, the upper ones of each byte. Sub-priorities (PRIGROUP) and tail chaining are not
modelled.
"""

from __future__ import annotations

from tinyml_cli.emulator.wiring import Wiring

HARD_FAULT, SVC, PENDSV, SYSTICK = 3, 11, 14, 15
_INTERRUPTS = 48
_SYSTEM_EXCEPTIONS = (1 << 16) - 1
_PRIORITY_SHIFT = 5
_NONE = 1 << 8

_CYCCNT = 0xE000_1004
_SYST_CSR, _SYST_RVR, _SYST_CVR = 0xE000_E010, 0xE000_E014, 0xE000_E018
_ISER, _ICER, _ISPR, _ICPR, _IABR, _IPR = (
    0xE000_E100, 0xE000_E180, 0xE000_E200, 0xE000_E280, 0xE000_E300, 0xE000_E400
)  # fmt: skip
_CPUID, _ICSR, _VTOR, _AIRCR, _SHPR, _STIR = (
    0xE000_ED00, 0xE000_ED04, 0xE000_ED08, 0xE000_ED0C, 0xE000_ED18, 0xE000_EF00
)  # fmt: skip
_CORTEX_M4 = 0x410F_C241
_SYSRESETREQ, _VECTKEY = 1 << 2, 0x05FA


class Exceptions:
    """Which exception is next.

    Attributes:
        active: numbers of the exceptions that are being handled, the running one last.
        pending: bit n: exception n is pending.
        vector_table: its address, VTOR.
    """

    def __init__(self, chip: Wiring) -> None:
        self._chip = chip
        self.reset()

    def reset(self) -> None:
        """What a reset leaves."""
        self.active: list[int] = []
        self.pending = 0
        self._enabled = _SYSTEM_EXCEPTIONS
        self._lines = 0
        self._priority = bytearray(16 + _INTERRUPTS)
        self._plain: dict[int, int] = {}
        self.vector_table = 0
        self._cyccnt_base = 0
        self._systick_base = 0

    def set_line(self, interrupt: int, level: bool) -> None:
        """A peripheral's interrupt line; while it is high, the interrupt pends whenever it is not handled."""
        bit = 1 << (16 + interrupt)
        if level:
            self._lines |= bit
            if 16 + interrupt not in self.active:
                self.pending |= bit
        else:
            self._lines &= ~bit

    def priority(self, number: int) -> int:
        """The group priority; 0 is the highest that a program can set."""
        return number - 4 if number < 4 else self._priority[number] >> _PRIORITY_SHIFT

    def candidate(self, base_priority: int = 0) -> int:
        """The pending exception that would interrupt what runs, were it not for PRIMASK; 0 is none.

        Args:
            base_priority: BASEPRI; 0 masks nothing.
        """
        ready = self.pending & self._enabled
        if not ready:
            return 0
        limit = min((self.priority(number) for number in self.active), default=_NONE)
        if base_priority:
            limit = min(limit, base_priority >> _PRIORITY_SHIFT)
        best = 0
        while ready:
            number = (ready & -ready).bit_length() - 1
            ready &= ready - 1
            if self.priority(number) < limit:
                best, limit = number, self.priority(number)
        return best

    def enter(self, number: int) -> None:
        """Its handling begins."""
        self.pending &= ~(1 << number)
        self.active.append(number)

    def leave(self) -> int:
        """The handling of the running one ends; returns its number."""
        number = self.active.pop()
        if self._lines >> number & 1:
            self.pending |= 1 << number
        return number

    def advance(self) -> None:
        """SysTick has counted to 0."""
        self._plain[_SYST_CSR] = self._plain.get(_SYST_CSR, 0) | 1 << 16
        if self._plain[_SYST_CSR] & 2:
            self.pending |= 1 << SYSTICK
        self._start_systick()

    def read(self, address: int, size: int) -> int:
        """A register of the private peripheral bus."""
        if _IPR <= address < _IPR + _INTERRUPTS:
            return int.from_bytes(self._priority[16 + address - _IPR :][:size], "little")
        if _SHPR <= address < _SHPR + 12:
            return int.from_bytes(self._priority[4 + address - _SHPR :][:size], "little")
        if _ISER <= address < _IPR:
            kind, word = address & ~0x7F, address >> 2 & 7
            active = sum(1 << number for number in self.active)
            bits = {_ISER: self._enabled, _ICER: self._enabled, _IABR: active}.get(kind, self.pending)
            return bits >> 16 + 32 * word & 0xFFFF_FFFF
        if address == _CYCCNT:
            return self._chip.now - self._cyccnt_base & 0xFFFF_FFFF
        if address == _SYST_CVR:
            period = self._plain.get(_SYST_RVR, 0) + 1
            return -(self._chip.now - self._systick_base) % period
        if address == _ICSR:
            running = self.active[-1] if self.active else 0
            pendsv, systick = self.pending >> PENDSV & 1, self.pending >> SYSTICK & 1
            return running | self.candidate() << 12 | systick << 26 | pendsv << 28
        fixed = {_CPUID: _CORTEX_M4, _VTOR: self.vector_table, _AIRCR: 0xFA05 << 16}
        return fixed.get(address, self._plain.get(address, 0))

    def write(self, address: int, size: int, value: int) -> None:
        """Writes a register of the private peripheral bus."""
        if _IPR <= address < _IPR + _INTERRUPTS:
            start = 16 + address - _IPR
            self._priority[start : start + size] = value.to_bytes(size, "little")
        elif _SHPR <= address < _SHPR + 12:
            start = 4 + address - _SHPR
            self._priority[start : start + size] = value.to_bytes(size, "little")
        elif _ISER <= address < _IABR:
            kind, bits = address & ~0x7F, value << 16 + 32 * (address >> 2 & 7)
            if kind == _ISER:
                self._enabled |= bits
            elif kind == _ICER:
                self._enabled &= ~bits
            elif kind == _ISPR:
                self.pending |= bits
            else:
                self.pending &= ~bits | self._lines & bits
        elif address == _ICSR:
            self.pending |= (value >> 28 & 1) << PENDSV | (value >> 26 & 1) << SYSTICK
            self.pending &= ~((value >> 27 & 1) << PENDSV | (value >> 25 & 1) << SYSTICK)
        elif address == _VTOR:
            self.vector_table = value
        elif address == _STIR:
            self.pending |= 1 << 16 + (value & 0x1FF)
        elif address == _AIRCR:
            if value >> 16 == _VECTKEY and value & _SYSRESETREQ:
                self._chip.request_reset()
        elif address == _CYCCNT:
            self._cyccnt_base = self._chip.now - value
        else:
            self._plain[address] = value
            if address in (_SYST_CSR, _SYST_CVR):
                self._start_systick()

    def _start_systick(self) -> None:
        self._systick_base = self._chip.now
        enabled = self._plain.get(_SYST_CSR, 0) & 1
        period = self._plain.get(_SYST_RVR, 0) + 1
        self._chip.wake_at(self, self._chip.now + period if enabled else None)
