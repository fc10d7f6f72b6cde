"""A Bluetooth central in place of the radio: it talks to ArduinoBLE through its HCI transport.

The modelled chip has no radio, so Cordio's link layer below does not answer. The library's `write` is
replaced in flash by two instructions; what it was given is answered here, by writing into the ring that it
reads from.

Bluetooth Core Specification 5.4: Vol 4, Part E (HCI), Vol 3, Part A (L2CAP), Part F (ATT), Part H (SMP).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm_const as arm

from tests.emulator.desk import Desk

ATT, SIGNALING, SECURITY = 4, 5, 6
HANDLE = 1
_COMMAND, _DATA, _EVENT = 1, 2, 4
_RETURN_LENGTH = b"\x10\x46\x70\x47"  # mov r0, r2; bx lr
_WRITE, _TRANSPORT = "_ZN23HCICordioTransportClass5writeEPKhj", "HCICordioTransport"
_RING, _RING_BYTES = (
    8,
    256,
)  # in HCICordioTransportClass, after its table and `_begun`; then head, tail, count
_LOWEST_PRIORITY = 7
_SLEEP = (b"\x30\xbf", b"\x20\xbf")  # WFI, WFE
_MOST_BYTES, _PACKETS = 251, 1
ADVERTISE = 0x200A
_STEP_S = 0.002
_ANSWERS = {
    0x1001: bytes([0x0C, 0, 0, 0x0C, 0xFF, 0xFF, 0, 0]),  # local version
    0x1009: bytes([1, 2, 3, 4, 5, 0xC6]),  # address
    0x2002: struct.pack("<HB", _MOST_BYTES, _PACKETS),  # LE buffer size
    0x2017: bytes(range(16)),  # LE encrypt
    0x2018: bytes(range(8)),  # LE random
}
# Subevents of LE Meta that follow a command: a public key, and what both compute from theirs. Any bytes.
_LATER = {0x2025: bytes([0x08, 0, *range(64)]), 0x2026: bytes([0x09, 0, *range(32)])}


class Central:
    """Connects to what a board's program advertises.

    Attributes:
        commands: opcodes that the program's host stack sent, with their parameters.
    """

    def __init__(self, board: Desk, elf: Path) -> None:
        self._board, self._memory = board, board.board.chip.memory
        self._run, board.run = board.run, self.run  # type: ignore[method-assign]
        self.commands: list[tuple[int, bytes]] = []
        self.received: list[tuple[int, bytes]] = []
        self._sending: list[bytes] = []
        with elf.open("rb") as stream:
            table: Any = ELFFile(stream).get_section_by_name(".symtab")
            write, transport = (
                table.get_symbol_by_name(name)[0]["st_value"] for name in (_WRITE, _TRANSPORT)
            )
        self._ring = transport + _RING
        self._memory.load(write & ~1, _RETURN_LENGTH)
        self._uc = self._memory._unicorn
        self._uc.hook_add(unicorn.UC_HOOK_CODE, self._on_write, begin=write & ~1, end=write & ~1)

    def run(self, seconds: float) -> None:
        """Lets some of the board's time pass, in which it gets what waits for it."""
        for _ in range(max(1, round(seconds / _STEP_S))):
            self._run(_STEP_S)
            while self._sending and self._store(self._sending[0]):
                del self._sending[0]

    def wait(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        for _ in range(round(seconds / 0.01)):
            if condition():
                return
            self.run(0.01)
        raise AssertionError(f"not in {seconds} s of the board's time; it sent {self.commands[-5:]}")

    def connect(self) -> None:
        """As soon as the program advertises."""
        self.wait(lambda: (ADVERTISE, b"\x01") in self.commands)
        peer = bytes([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66])
        self._event(0x3E, struct.pack("<BBHB", 1, 0, HANDLE, 1) + peer + struct.pack("<HHHB", 24, 0, 400, 0))
        self.run(0.1)

    def disconnect(self) -> None:
        self._event(0x05, struct.pack("<BHB", 0, HANDLE, 0x13))
        self.run(0.1)

    def ask(self, pdu: bytes, channel: int = ATT) -> bytes:
        """What the program answers on a channel."""
        self.received.clear()
        self.tell(pdu, channel)
        self.wait(lambda: any(each == channel for each, _ in self.received))
        return next(answer for each, answer in self.received if each == channel)

    def tell(self, pdu: bytes, channel: int = ATT) -> None:
        frame = struct.pack("<HH", len(pdu), channel) + pdu
        self._sending.append(bytes([_DATA]) + struct.pack("<HH", HANDLE | 0x2000, len(frame)) + frame)

    def read(self, handle: int) -> bytes:
        """The whole value of an attribute, however long."""
        value = b""
        while True:
            opcode, more = (0x0C, struct.pack("<H", len(value))) if value else (0x0A, b"")
            answer = self.ask(bytes([opcode]) + struct.pack("<H", handle) + more)
            if answer[0] != opcode + 1 or len(answer) == 1:
                return value
            value += answer[1:]

    def _on_write(self, uc: Any, address: int, size: int, data: object) -> None:
        start, count = uc.reg_read(arm.UC_ARM_REG_R1), uc.reg_read(arm.UC_ARM_REG_R2)
        packet = self._memory.read(start, count)
        if packet[0] == _COMMAND:
            opcode, length = struct.unpack_from("<HB", packet, 1)
            self.commands.append((opcode, packet[4 : 4 + length]))
            self._event(0x0E, struct.pack("<BHB", 1, opcode, 0) + _ANSWERS.get(opcode, b""))
            if opcode in _LATER:
                self._event(0x3E, _LATER[opcode])
        elif packet[0] == _DATA:
            handle, _, length, channel = struct.unpack_from("<HHHH", packet, 1)
            self.received.append((channel, packet[9 : 9 + length]))
            self._event(0x13, struct.pack("<BHH", 1, handle & 0xFFF, 1))

    def _event(self, code: int, parameters: bytes) -> None:
        self._sending.append(bytes([_EVENT, code, len(parameters)]) + parameters)

    def _store(self, packet: bytes) -> bool:
        """Whether there was room in the ring, and the program was not at it: it masks interrupts there.

        It sleeps with masked interrupts, too, but elsewhere.
        """
        cpu = self._board.board.chip.cpu
        if cpu.is_masked(_LOWEST_PRIORITY) and self._memory.read(cpu.pc - 2, 2) not in _SLEEP:
            return False
        head, tail, count = struct.unpack("<iii", self._memory.read(self._ring + _RING_BYTES, 12))
        if count + len(packet) > _RING_BYTES:
            return False
        for byte in packet:
            self._memory.write(self._ring + head, bytes([byte]))
            head = (head + 1) % _RING_BYTES
        self._memory.write(self._ring + _RING_BYTES, struct.pack("<iii", head, tail, count + len(packet)))
        return True
