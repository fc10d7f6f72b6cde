"""Tables made smaller for the way to a board, alone or as changes of those that it runs.

What the board undoes, and the format: firmware/lib/model_slots/unpacker.h. The range coder is that of LZMA
(G. N. N. Martin, "Range encoding", 1979; carries are held back).
"""

from __future__ import annotations

import hashlib

PREAMBLE_BYTES = 12
_BASE_HASH_BYTES = 8
_TOP = 1 << 24
_PROBABILITY_BITS = 11
_MOVE_BITS = 5


def pack(tables: bytes, base: bytes | None = None) -> bytes:
    """The packed tables.

    Args:
        tables: what the board shall have.
        base: tables of the same length that it runs; None: they are packed alone.
    """
    assert base is None or len(base) == len(tables)
    preamble = bytes(PREAMBLE_BYTES)
    if base is not None:
        preamble = b"\x01\0\0\0" + hashlib.sha512(base).digest()[:_BASE_HASH_BYTES]
    coder = _Coder()
    half = 1 << (_PROBABILITY_BITS - 1)
    trees = [[half] * 256 for _ in range(4)]
    last = [0, 0, 0, 0]  # the newest first
    for at, byte in enumerate(tables):
        difference = byte if base is None else (byte - base[at]) & 0xFF
        tree, node = trees[(last[0] == 0) | (last[3] == 0) << 1], 1
        for place in range(7, -1, -1):
            bit = difference >> place & 1
            tree[node] = coder.bit(bit, tree[node])
            node = node << 1 | bit
        last = [difference, *last[:3]]
    return preamble + coder.end()


def smallest(tables: bytes, base: bytes | None) -> bytes | None:
    """The smallest packed form; None where the tables as they are have no more bytes."""
    forms = [pack(tables)]
    if base is not None and len(base) == len(tables):
        forms.append(pack(tables, base))
    best = min(forms, key=len)
    return best if len(best) < len(tables) else None


def is_change(packed: bytes) -> bool:
    """Whether packed tables are the changes of others."""
    return packed[0] == 1


class _Coder:
    def __init__(self) -> None:
        self._low, self._range = 0, 0xFFFFFFFF
        self._held, self._run = 0, 1  # a byte that a carry may still change, and the 255s after it
        self._made = bytearray()

    def bit(self, bit: int, probability: int) -> int:
        """Codes a bit whose probability of being 0 this is; what it is from now on."""
        bound = (self._range >> _PROBABILITY_BITS) * probability
        if bit:
            self._low += bound
            self._range -= bound
            probability -= probability >> _MOVE_BITS
        else:
            self._range = bound
            probability += ((1 << _PROBABILITY_BITS) - probability) >> _MOVE_BITS
        while self._range < _TOP:
            self._range <<= 8
            self._shift()
        return probability

    def end(self) -> bytes:
        """All bytes; zeros at the end are left out but for those that the first ones need."""
        for _ in range(5):
            self._shift()
        return bytes(self._made)

    def _shift(self) -> None:
        carry = self._low >> 32
        if carry or self._low < 0xFF000000:
            self._made.append((self._held + carry) & 0xFF)
            self._made += bytes([(0xFF + carry) & 0xFF]) * (self._run - 1)
            self._held, self._run = self._low >> 24 & 0xFF, 0
        self._run += 1
        self._low = (self._low & 0x00FFFFFF) << 8
