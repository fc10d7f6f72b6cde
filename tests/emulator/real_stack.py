"""How much of the main stack a real program uses, on a modelled board that runs in this process.

The real-time system of Arduino's core fills its stacks with 0xCC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile

from tests.emulator.desk import Desk, desk
from tinyml_cli.link.link import Link

# Of firmware/lib/hal/nano33ble/main_stack.cpp, and of mbed-os.
_OURS, _CORES = "_ZN12_GLOBAL__N_15stackE", "_main_stack"
_SLICE_S = 0.005


@dataclass(frozen=True)
class StackUse:
    """Bytes of the main stack."""

    reserved_bytes: int
    used_bytes: int


class _DeskTransport:
    """A board's port, in place of a serial one: reading lets its time pass."""

    can_come_back = False

    def __init__(self, board: Desk) -> None:
        self._board = board

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self._board.host.send(data)

    def read(self, timeout_s: float) -> bytes:
        for _ in range(100):
            self._board.run(_SLICE_S)
            if self._board.received:
                break
        data = bytes(self._board.received)
        self._board.received.clear()
        return data


def connected(board: Desk) -> Link:
    """A connection to a board's program; its time passes while the link reads."""
    link = Link("desk", timeout_s=300.0)
    link._transport = _DeskTransport(board)  # type: ignore[assignment]
    return link


def measure(elf: Path, sensor: str, feed: Callable[[Link], None]) -> StackUse:
    """After everything that a host may ask for."""
    board = desk(elf, sensor)
    with connected(board) as link:
        ask_everything(link, feed)
    return used(board, elf)


def ask_everything(link: Link, feed: Callable[[Link], None]) -> None:
    """What the application takes, and each kind of request."""
    ready = link.wait_ready(300.0)
    link.trace("scores", "features", "status")
    feed(link)
    link.sensors()
    link.led(1, 2, 3)
    if ready.input_bytes:
        link.write_input(np.zeros(ready.input_bytes, np.int8))
        link.run_inference()
    link.info()
    link.reset()


def used(board: Desk, elf: Path) -> StackUse:
    """How much of it was ever overwritten."""
    address, size = _stack(elf)
    words = np.frombuffer(board.board.chip.memory.read(address, size), "<u4")
    # The first word is the system's mark.
    return StackUse(size, int(size - 4 * (1 + np.flatnonzero(words[1:] != 0xCCCC_CCCC)[0])))


def _stack(elf: Path) -> tuple[int, int]:
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        for name in (_OURS, _CORES):
            for symbol in table.get_symbol_by_name(name) or []:
                if symbol["st_size"] >= 4096:
                    return symbol["st_value"], symbol["st_size"]
    raise AssertionError(f"{elf}: no main stack")
