"""The Cortex-M4: instructions by Unicorn, exceptions by us.

Unicorn (GPL-2.0, QEMU's translator) executes instructions and knows nothing of interrupts. It stops at SVC,
at the return from an exception, at WFI and WFE, and after a number of instructions; entry to and return
from exceptions are done here, after the Arm v7-M Architecture Reference Manual (DDI 0403E), B1.5.6 to
B1.5.8. Stacking of floating point registers is done at once, not lazily.

This module, `core_registers` and `outer_registers` alone import Unicorn, and run only in the emulator's own
process.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from enum import Enum, auto

import unicorn
from unicorn import arm_const as arm

from tinyml_cli.emulator.core_registers import CoreRegisters
from tinyml_cli.emulator.memory import Memory
from tinyml_cli.emulator.outer_registers import OuterRegisters

_NEVER = 0xFFFF_FFF0
_WORD = 0xFFFF_FFFF
# Unicorn's numbers of what it cannot do itself (QEMU, target/arm/cpu.h: EXCP_…).
_SVC, _EXCEPTION_EXIT = 2, 8
_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"
# CPSIE, and MSR to PRIMASK, BASEPRI, BASEPRI_MAX or FAULTMASK: afterwards an interrupt may be allowed.
_UNMASKING = re.compile(rb"[\x61-\x63]\xb6|[\x80-\x8e]\xf3[\x10-\x13]\x88")
_OUTER = ((0x4000_0000, 0x10_0000), (0x5000_0000, 0x4_0000), (0xE000_0000, 0x10_0000))
_STACKED = (*(arm.UC_ARM_REG_R0 + n for n in range(4)), arm.UC_ARM_REG_R12, arm.UC_ARM_REG_LR)
_FLOATS = (*(arm.UC_ARM_REG_D0 + n for n in range(8)), arm.UC_ARM_REG_FPSCR)
_SP, _PC, _MSP, _PSP = arm.UC_ARM_REG_SP, arm.UC_ARM_REG_PC, arm.UC_ARM_REG_MSP, arm.UC_ARM_REG_PSP
_CONTROL, _IPSR_ALONE, _FLAGS = arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_IPSR, arm.UC_ARM_REG_APSR_NZCVQG
_MASKS = (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_FAULTMASK, arm.UC_ARM_REG_BASEPRI)
_APSR = 0xF80F_0000
_THUMB = 1 << 24
_IPSR = 0x1FF
_FPCA, _SPSEL = 4, 2
_BASIC_FRAME, _EXTENDED_FRAME = 0x20, 0x68
_ALIGNED = 1 << 9


class Stop(Enum):
    """Why the processor stopped."""

    COUNT = auto()
    SVC = auto()
    RETURN = auto()
    SLEEP = auto()
    EVENT_SLEEP = auto()
    REQUEST = auto()
    POLL = auto()
    FAULT = auto()


class Cpu:
    """One core.

    Args:
        read, write: (address, size) and (address, size, value) of all registers outside the core's own.
        program: stores to flash, (address, bytes); False where flash cannot be written now.
        may_interrupt: whether an exception would be taken if nothing masked it; asked where masks are lifted.

    Attributes:
        memory: what it is wired to.
        pc: the next instruction.
        fault: what went wrong, after Stop.FAULT.
    """

    def __init__(
        self,
        read: Callable[[int, int], int],
        write: Callable[[int, int, int], None],
        program: Callable[[int, bytes], bool],
        may_interrupt: Callable[[], bool],
    ) -> None:
        self._uc = uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self.memory = Memory(uc)
        self.pc = 0
        self.fault = ""
        self._write, self._may_interrupt = write, may_interrupt
        self._program = program
        self._stop = Stop.COUNT
        self._interrupted_at = -1  # address of a store to a register that stopped the core before it ended
        self._is_repeated = False
        self._hooks: list[int] = []
        self._outer = [OuterRegisters(uc, *place, read, self._on_write) for place in _OUTER]
        self._next = CoreRegisters(uc, (_PC,))
        self._floats = CoreRegisters(uc, _FLOATS)
        self._masks = CoreRegisters(uc, _MASKS)
        self._before_entry = CoreRegisters(uc, (*_STACKED, _SP, _CONTROL, arm.UC_ARM_REG_XPSR))
        self._after_entry = CoreRegisters(uc, (_SP, _IPSR_ALONE, _CONTROL, arm.UC_ARM_REG_LR))
        self._before_return = CoreRegisters(uc, (_PC, _MSP, _PSP, _CONTROL))
        self._after_return = CoreRegisters(uc, (_IPSR_ALONE, _CONTROL, _SP, *_STACKED, _FLAGS))
        uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        uc.hook_add(unicorn.UC_HOOK_MEM_WRITE_PROT, self._on_flash_store)

    def reset(self, vector_table: int) -> None:
        """Starts anew with a program's vector table."""
        for register in (arm.UC_ARM_REG_IPSR, arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_PRIMASK):
            self._uc.reg_write(register, 0)
        for register in (arm.UC_ARM_REG_BASEPRI, arm.UC_ARM_REG_FAULTMASK):
            self._uc.reg_write(register, 0)
        stack, start = struct.unpack("<II", self.memory.read(vector_table, 8))
        self._uc.reg_write(arm.UC_ARM_REG_MSP, stack)
        self._uc.reg_write(arm.UC_ARM_REG_SP, stack)
        self._uc.reg_write(arm.UC_ARM_REG_LR, _WORD)
        self.pc = start & ~1
        self._watch_masks()

    def run(self, count: int) -> Stop:
        """Executes at most `count` instructions."""
        self._stop = Stop.COUNT
        self._interrupted_at = -1
        try:
            self._uc.emu_start(self.pc | 1, _NEVER, count=count)
        except unicorn.UcError as error:
            return self._explain(error)
        self.pc = self._next.read()[0] & ~1
        if self._stop is Stop.REQUEST:
            self._finish_store()
        elif self._stop is Stop.COUNT and self._before() == _WFI:
            return Stop.SLEEP
        return self._stop

    def is_masked(self, priority: int) -> bool:
        """Whether PRIMASK, FAULTMASK or BASEPRI keep back an exception of a group priority."""
        primask, faultmask, base = self._masks.read()
        if (primask | faultmask) & 1:
            return priority >= 0
        return bool(base >> 5) and priority >= base >> 5

    def stop_polling(self) -> None:
        """Stops at the load that is being executed, which is done again later; called from `read`."""
        self._stop = Stop.POLL
        self._uc.emu_stop()

    def request_stop(self) -> None:
        """Stops after the store that is being executed; called from `write`."""
        self._stop = Stop.REQUEST
        self._interrupted_at = self._next.read()[0] & ~1
        self._uc.emu_stop()

    def enter(self, number: int, vector_table: int, active: int) -> None:
        """Takes an exception.

        Args:
            number: which.
            vector_table: where its handler's address is.
            active: number of the exception that was running; 0 is none.
        """
        *stacked, stack, control, status = self._before_entry.read()
        extended, on_process_stack = bool(control & _FPCA), not active and bool(control & _SPSEL)
        status = status & _APSR | _THUMB | active | (_ALIGNED if stack & 4 else 0)
        frame = struct.pack("<8I", *stacked, self.pc, status)
        if extended:
            frame += struct.pack("<8QQ", *self._floats.read())
        stack = stack - len(frame) & ~7
        self._uc.mem_write(stack, frame)
        back = 0xFFFF_FFF1 if active else 0xFFFF_FFFD if on_process_stack else 0xFFFF_FFF9
        self._after_entry.write(stack, number, control & 3, back & ~0x10 if extended else back)
        self.pc = self.memory.read_word(vector_table + 4 * number) & ~1

    def leave(self) -> None:
        """Returns from an exception; the program has branched to the value that `enter` put into LR."""
        back, main_stack, process_stack, control = self._before_return.read()
        extended, to_thread, to_process_stack = not back & 0x10, bool(back & 8), bool(back & 4)
        stack = process_stack if to_process_stack else main_stack
        frame = self.memory.read(stack, _EXTENDED_FRAME if extended else _BASIC_FRAME)
        *stacked, pc, status = struct.unpack_from("<8I", frame)
        if extended:
            self._floats.write(*struct.unpack_from("<8QQ", frame, _BASIC_FRAME))
        selected = (_SPSEL if to_process_stack else 0) if to_thread else control & _SPSEL
        control = control & 1 | selected | (_FPCA if extended else 0)
        stack += len(frame) | (4 if status & _ALIGNED else 0)
        self._after_return.write(status & _IPSR, control, stack, *stacked, status & _APSR)
        self.pc = pc & ~1

    def _on_write(self, address: int, size: int, value: int) -> None:
        if self._is_repeated:
            self._is_repeated = False
            return
        self._write(address, size, value)

    def _on_flash_store(self, _: object, __: int, address: int, size: int, value: int, ___: object) -> bool:
        return self._program(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def _on_exception(self, _: object, number: int, __: object) -> None:
        known = {_SVC: Stop.SVC, _EXCEPTION_EXIT: Stop.RETURN}
        self._stop = known.get(number, Stop.FAULT)
        if self._stop is Stop.FAULT:
            self.fault = f"exception {number} of the processor"
        self._uc.emu_stop()

    def _finish_store(self) -> None:
        """Unicorn stops in the middle of a store to a register, which it has made: ends it alone."""
        if self.pc == self._interrupted_at:
            self._is_repeated = True
            self._uc.emu_start(self.pc | 1, _NEVER, count=1)
            self._is_repeated = False
            self._stop = Stop.REQUEST
            self.pc = self._next.read()[0] & ~1

    def _before(self) -> bytes:
        return self.memory.read(self.pc - 2, 2)

    def _explain(self, error: unicorn.UcError) -> Stop:
        self.pc = self._next.read()[0] & ~1
        if error.errno == unicorn.UC_ERR_INSN_INVALID and self._before() in (_WFE, _YIELD):
            return Stop.EVENT_SLEEP if self._before() == _WFE else Stop.COUNT
        self.fault = str(error)
        return Stop.FAULT

    def _watch_masks(self) -> None:
        """Has the core stop where a mask was lifted and an exception waits.

        The instruction that lifts it ends a block of Unicorn's. Hooks of blocks cost nothing elsewhere; each
        hook of code is compared with the address of every instruction.
        """
        for hook in self._hooks:
            self._uc.hook_del(hook)
        code = self.memory.flash()
        places = (m.end() for m in _UNMASKING.finditer(code) if not m.start() & 1)
        self._hooks = [
            self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_unmask, None, place, place) for place in places
        ]

    def _on_unmask(self, *_: object) -> None:
        if self._may_interrupt():
            self._stop = Stop.REQUEST
            self._uc.emu_stop()
