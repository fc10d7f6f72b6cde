"""Several of the core's registers by one call to Unicorn's library, where its own way makes one for each.

Entries to and returns from exceptions, some thousand a second, spend most of their time in these calls.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from unicorn.unicorn_py3.unicorn import uclib


class CoreRegisters:
    """Some registers, always in the same order.

    Args:
        unicorn: the processor.
        numbers: Unicorn's numbers of the registers.
    """

    def __init__(self, unicorn: Any, numbers: Sequence[int]) -> None:
        count = len(numbers)
        self._unicorn = unicorn
        self._values = (ctypes.c_uint64 * count)()
        start = ctypes.addressof(self._values)
        pointers = (ctypes.c_void_p * count)(*(start + 8 * n for n in range(count)))
        self._arguments = (unicorn._uch, (ctypes.c_int * count)(*numbers), pointers, count)

    def read(self) -> list[int]:
        """Their values."""
        uclib.uc_reg_read_batch(*self._arguments)
        return self._values[:]

    def write(self, *values: int) -> None:
        """Sets them, in their order."""
        self._values[:] = list(values)
        uclib.uc_reg_write_batch(*self._arguments)
