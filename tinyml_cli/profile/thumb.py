"""Classifies Thumb-2 instructions by their cost on a Cortex-M4. Not a disassembler.

Encodings: ARMv7-M Architecture Reference Manual (Arm DDI 0403), chapter A5 and A6.4 to A6.6 (floating point).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_PC = 15


class Kind(Enum):
    """Instructions that the cycle model tells apart."""

    ALU = "alu"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    LOAD = "load"
    STORE = "store"
    STORE_INDEXED = "store_indexed"
    """A store whose address is a sum of two registers."""
    LOAD_MULTIPLE = "load_multiple"
    """Several words: LDM, POP, LDRD; VLDR and VLDM, of one word too."""
    STORE_MULTIPLE = "store_multiple"
    BRANCH = "branch"
    TABLE_BRANCH = "table_branch"
    IF_THEN = "if_then"
    SYSTEM = "system"
    FLOAT = "float"
    FLOAT_PAIR = "float_pair"
    """Two words between core and floating-point registers."""
    FLOAT_MULTIPLY_ADD = "float_multiply_add"
    FLOAT_DIVIDE = "float_divide"
    """Division and square root."""


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        size: bytes, 2 or 4.
        registers: words that a LOAD_MULTIPLE or STORE_MULTIPLE moves.
        target: register that a LOAD writes; -1 for others.
        address: bit mask of the registers that a LOAD or STORE adds up to its address.
        updates_base: whether a LOAD changes its base register.
        loads_pc: whether a LOAD is a branch too.
    """

    kind: Kind
    size: int
    registers: int = 0
    target: int = -1
    address: int = 0
    updates_base: bool = False
    loads_pc: bool = False


def decode(code: bytes) -> Iterator[Instruction]:
    """The instructions of a piece of code that starts and ends with a whole instruction.

    Raises:
        ValueError: the last instruction is truncated.
    """
    if len(code) % 2:
        raise ValueError("Thumb code has an even number of bytes")
    words = struct.unpack(f"<{len(code) // 2}H", code)
    index = 0
    while index < len(words):
        first = words[index]
        if first < 0xE800:
            yield _narrow(first)
            index += 1
        elif index + 1 < len(words):
            yield _wide(first, words[index + 1])
            index += 2
        else:
            raise ValueError("the last instruction is truncated")


def _narrow(code: int) -> Instruction:
    """A 16-bit instruction."""
    if code < 0x4000:
        return Instruction(Kind.ALU, 2)
    if code < 0x4400:
        return Instruction(Kind.MULTIPLY if code & 0x03C0 == 0x0340 else Kind.ALU, 2)
    if code < 0x4800:
        writes_pc = code & 0x0100 == 0 and (code >> 4 & 8 | code & 7) == _PC  # ADD, MOV
        return Instruction(Kind.BRANCH if code >= 0x4700 or writes_pc else Kind.ALU, 2)
    if code < 0x5000:
        return Instruction(Kind.LOAD, 2, target=code >> 8 & 7, address=1 << _PC)
    if code < 0xA000:
        return _narrow_load_store(code)
    if code < 0xB000:
        return Instruction(Kind.ALU, 2)
    if code < 0xC000:
        return _narrow_miscellaneous(code)
    if code < 0xD000:
        return _several(2, bool(code & 0x0800), (code & 0xFF).bit_count())
    return Instruction(Kind.SYSTEM if 0xDE00 <= code < 0xE000 else Kind.BRANCH, 2)


def _narrow_load_store(code: int) -> Instruction:
    if code < 0x6000:
        address = 1 << (code >> 3 & 7) | 1 << (code >> 6 & 7)
        if code >> 9 & 7 < 3:
            return Instruction(Kind.STORE_INDEXED, 2, address=address)
        return Instruction(Kind.LOAD, 2, target=code & 7, address=address)
    on_stack = code >= 0x9000
    address = 1 << 13 if on_stack else 1 << (code >> 3 & 7)
    if code & 0x0800:
        return Instruction(Kind.LOAD, 2, target=code >> 8 & 7 if on_stack else code & 7, address=address)
    return Instruction(Kind.STORE, 2, address=address)


def _narrow_miscellaneous(code: int) -> Instruction:
    if code & 0x0500 == 0x0100:
        return Instruction(Kind.BRANCH, 2)  # CBZ, CBNZ
    if code & 0x0600 == 0x0400:
        return _several(2, bool(code & 0x0800), (code & 0x1FF).bit_count())  # POP, PUSH
    if code & 0xFF00 == 0xBF00 and code & 0xF:
        return Instruction(Kind.IF_THEN, 2)
    return Instruction(Kind.ALU, 2)


def _several(size: int, loads: bool, words: int) -> Instruction:
    return Instruction(Kind.LOAD_MULTIPLE if loads else Kind.STORE_MULTIPLE, size, registers=words)


def _wide(first: int, second: int) -> Instruction:
    """A 32-bit instruction."""
    group, detail = first >> 11 & 3, first >> 4 & 0x7F
    if group != 2 and detail & 0x40:
        return _float(first, second)
    if group == 1:
        if detail & 0x60 == 0x20:
            return Instruction(Kind.ALU, 4)
        if detail & 4 == 0:
            return _several(4, bool(first & 0x10), second.bit_count())
        return _dual(first, second)
    if group == 2:
        return _branch_or_immediate(first, second)
    if detail & 0x60 == 0:
        return _single(first, second)
    if detail & 0x70 == 0x20:
        return Instruction(Kind.ALU, 4)
    divides = detail in (0x39, 0x3B) and second & 0x00F0 == 0x00F0
    return Instruction(Kind.DIVIDE if divides else Kind.MULTIPLY, 4)


def _dual(first: int, second: int) -> Instruction:
    if first & 0xFFF0 == 0xE8D0 and second & 0x00E0 == 0:
        return Instruction(Kind.TABLE_BRANCH, 4)
    if first & 0xFF60 == 0xE840:  # exclusive
        return Instruction(Kind.LOAD, 4, target=second >> 12, address=1 << (first & 15))
    return _several(4, bool(first & 0x10), 2)


def _branch_or_immediate(first: int, second: int) -> Instruction:
    if second & 0x8000 == 0:
        return Instruction(Kind.ALU, 4)
    is_conditional_or_system = second & 0x5000 == 0
    if is_conditional_or_system and first & 0x0380 == 0x0380:
        return Instruction(Kind.ALU if first == 0xF3AF else Kind.SYSTEM, 4)  # F3AF: NOP and other hints
    return Instruction(Kind.BRANCH, 4)


def _single(first: int, second: int) -> Instruction:
    """One byte, half-word or word."""
    base, target = first & 15, second >> 12
    has_long_offset = bool(first & 0x0080) or base == _PC
    is_indexed = not has_long_offset and second & 0x0FC0 == 0
    address = 1 << base | (1 << (second & 15) if is_indexed else 0)
    if first & 0x10 == 0:
        return Instruction(Kind.STORE_INDEXED if is_indexed else Kind.STORE, 4, address=address)
    updates_base = not has_long_offset and second & 0x0900 == 0x0900
    is_word = first & 0x60 == 0x40
    return Instruction(
        Kind.LOAD, 4, target=target, address=address, updates_base=updates_base,
        loads_pc=is_word and target == _PC,
    )  # fmt: skip


def _float(first: int, second: int) -> Instruction:
    """The floating-point extension: VFPv4-D16, single precision."""
    if first & 0x0E00 == 0x0C00:
        if first & 0x01E0 == 0x0040:
            return Instruction(Kind.FLOAT_PAIR, 4)
        is_single = first & 0x0120 == 0x0100  # VLDR, VSTR
        words = (2 if second & 0x0100 else 1) if is_single else second & 0xFF
        return _several(4, bool(first & 0x10), words)
    if second & 0x10:
        return Instruction(Kind.FLOAT, 4)  # to or from a core register
    operation = first >> 4 & 0xB
    if operation in (0, 1, 9, 10):
        return Instruction(Kind.FLOAT_MULTIPLY_ADD, 4)
    is_root = operation == 11 and first & 15 == 1 and second & 0x00C0 == 0x00C0
    return Instruction(Kind.FLOAT_DIVIDE if operation == 8 or is_root else Kind.FLOAT, 4)
