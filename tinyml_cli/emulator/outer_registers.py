"""Loads and stores outside memory, straight from Unicorn's library.

There are some 70,000 a second, and Unicorn's own way puts three more calls around each.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from unicorn.unicorn_py3.unicorn import MMIO_READ_CFUNC, MMIO_WRITE_CFUNC, UcError, uclib


class OuterRegisters:
    """Some address space whose loads and stores are calls.

    What they raise stops the processor and is raised again by its `emu_start`.

    Args:
        unicorn: the processor.
        base, size: the addresses.
        read, write: (address, size) and (address, size, value).
    """

    def __init__(
        self,
        unicorn: Any,
        base: int,
        size: int,
        read: Callable[[int, int], int],
        write: Callable[[int, int, int], None],
    ) -> None:
        def on_load(_: object, offset: int, size: int, __: object) -> int:
            try:
                return read(base + offset, size)
            except BaseException as error:
                _stop(unicorn, error)
                return 0

        def on_store(_: object, offset: int, size: int, value: int, __: object) -> None:
            try:
                write(base + offset, size, value)
            except BaseException as error:
                _stop(unicorn, error)

        self._kept = MMIO_READ_CFUNC(on_load), MMIO_WRITE_CFUNC(on_store)
        load, store = (ctypes.cast(call, ctypes.c_void_p) for call in self._kept)
        if error := uclib.uc_mmio_map(unicorn._uch, base, size, load, None, store, None):
            raise UcError(error)


def _stop(unicorn: Any, error: BaseException) -> None:
    """As Unicorn does it: the first error counts."""
    if unicorn._hook_exception is None:
        unicorn._hook_exception = error
    unicorn.emu_stop()
