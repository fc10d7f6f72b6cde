"""The memory plan: where every buffer lies in one static arena.

Greedy by size, as in Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference"
(2020), section 5.2: the largest buffer first, each at the lowest offset that is free while it is alive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALIGNMENT_BYTES = 16


@dataclass(frozen=True)
class Buffer:
    """Bytes that are needed from step `first` to step `last`, both included.

    Attributes:
        name: unique; the key of its offset.
        bytes: its size.
    """

    name: str
    bytes: int
    first: int
    last: int

    def overlaps(self, other: Buffer) -> bool:
        """Whether there is a step at which both are needed."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Offsets by buffer name (multiples of ALIGNMENT_BYTES), and the size of the arena."""

    offsets: dict[str, int]
    arena_bytes: int


def plan(buffers: Iterable[Buffer]) -> Plan:
    """Places buffers so that two that are alive at one step never share a byte."""
    placed: list[tuple[int, Buffer]] = []
    for buffer in sorted(buffers, key=lambda each: (-each.bytes, each.first, each.name)):
        placed.append((_lowest_free(buffer, placed), buffer))
    return Plan(
        offsets={buffer.name: offset for offset, buffer in placed},
        arena_bytes=max((_aligned(offset + buffer.bytes) for offset, buffer in placed), default=0),
    )


def _lowest_free(buffer: Buffer, placed: list[tuple[int, Buffer]]) -> int:
    offset = 0
    for start, other in sorted(
        ((start, o) for start, o in placed if o.overlaps(buffer)), key=lambda pair: pair[0]
    ):
        if offset + buffer.bytes <= start:
            break
        offset = max(offset, _aligned(start + other.bytes))
    return offset


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
