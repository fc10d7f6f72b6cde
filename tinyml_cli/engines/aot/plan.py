"""The memory plan: the offset of every buffer in one static arena.

Buffers are placed one after another, each at the lowest offset that does not conflict with those already
placed: greedy by size, as in Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference"
(2020), section 5.2. Other orders often pack better, so several are tried, and the best is improved by moving
single buffers forward. The search has a fixed number of steps and a fixed seed: equal models give equal
plans.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

ALIGNMENT_BYTES = 4
"""What the kernels need: scratch is read as words of 32 bits, and so are float tensors. Bytes need none."""

# Random moves; fewer for many buffers, and for buffers that get in each other's way.
_SEARCH_STEPS = 600
_SEARCH_PLACEMENTS = 24_000
_SEARCH_COMPARISONS = 40_000_000


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
class Sharing:
    """Permission for a buffer that is written to lie over one that the same step reads for the last time.

    Attributes:
        source: name of the buffer that is read.
        target: name of the buffer that is written.
        lowest: smallest distance by which the target may start before the source; may be negative.
        highest: largest distance; None for any.
        step: the distance is `lowest` plus a multiple of this.
    """

    source: str
    target: str
    lowest: int
    highest: int | None = None
    step: int = 1

    def allows(self, distance: int) -> bool:
        """Whether the target may start so many bytes before the source."""
        within = self.lowest <= distance and (self.highest is None or distance <= self.highest)
        return within and (distance - self.lowest) % self.step == 0


@dataclass(frozen=True)
class ArenaPlan:
    """Offsets by buffer name (multiples of ALIGNMENT_BYTES), and the size of the arena."""

    offsets: dict[str, int]
    arena_bytes: int


def plan(buffers: Iterable[Buffer], sharings: Iterable[Sharing] = ()) -> ArenaPlan:
    """Places buffers so that two that are alive at one step share no byte, except as `sharings` permit."""
    problem = _PlacementProblem(tuple(buffers), tuple(sharings))
    best = _search(problem)
    return ArenaPlan({buffer.name: best[i] for i, buffer in enumerate(problem.buffers)}, problem.peak(best))


def lower_bound(buffers: Sequence[Buffer], sharings: Sequence[Sharing] = ()) -> int:
    """Bytes that no plan can do without: the largest of `least_bytes`."""
    return max(least_bytes(buffers, sharings).values(), default=0)


def least_bytes(buffers: Sequence[Buffer], sharings: Sequence[Sharing] = ()) -> dict[int, int]:
    """By step: all that is alive less all that might be shared."""
    named = {buffer.name: buffer for buffer in buffers}
    return {
        step: sum(buffer.bytes for buffer in buffers if buffer.first <= step <= buffer.last)
        - _shared_at(step, named, sharings)
        for step in {buffer.first for buffer in buffers}
    }


def _shared_at(step: int, named: dict[str, Buffer], sharings: Sequence[Sharing]) -> int:
    saved: dict[str, int] = {}
    for sharing in sharings:
        source, target = named[sharing.source], named[sharing.target]
        if target.first <= step <= source.last:
            saved[target.name] = saved.get(target.name, 0) + _shared_at_most(source, target, sharing)
    return sum(min(size, named[name].bytes) for name, size in saved.items())


def _shared_at_most(source: Buffer, target: Buffer, sharing: Sharing) -> int:
    """The most bytes that two buffers have in common at any distance that is allowed."""
    lowest = sharing.lowest
    if sharing.highest is not None and sharing.highest < 0:
        return max(0, min(target.bytes, source.bytes + sharing.highest))
    if lowest <= 0:
        return min(source.bytes, target.bytes)
    return max(0, min(source.bytes, target.bytes - lowest))


@dataclass(frozen=True)
class _PlacementProblem:
    """Buffers by number, and what each of them has to respect."""

    buffers: tuple[Buffer, ...]
    sharings: tuple[Sharing, ...]

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """Of each buffer: those alive at one step with it."""
        return [
            [j for j, other in enumerate(self.buffers) if j != i and other.overlaps(buffer)]
            for i, buffer in enumerate(self.buffers)
        ]

    @cached_property
    def permissions(self) -> dict[tuple[int, int], Sharing]:
        """By (source, target)."""
        number = {buffer.name: i for i, buffer in enumerate(self.buffers)}
        return {(number[each.source], number[each.target]): each for each in self.sharings}

    def place(self, order: Sequence[int]) -> list[int]:
        """Offsets by buffer, placed in this order."""
        offsets = [-1] * len(self.buffers)
        for buffer in order:
            placed = [(other, offsets[other]) for other in self.neighbours[buffer] if offsets[other] >= 0]
            offsets[buffer] = next(
                offset for offset in self._candidates(buffer, placed) if self._fits(buffer, offset, placed)
            )
        return offsets

    def peak(self, offsets: Sequence[int]) -> int:
        """Bytes of the arena."""
        ends = (offset + buffer.bytes for offset, buffer in zip(offsets, self.buffers, strict=True))
        return aligned(max(ends, default=0))

    def _candidates(self, buffer: int, placed: list[tuple[int, int]]) -> list[int]:
        """Offsets worth trying, lowest first; the last one always fits."""
        size, found = self.buffers[buffer].bytes, {0}
        for other, offset in placed:
            below = (offset - size) // ALIGNMENT_BYTES * ALIGNMENT_BYTES
            found |= {aligned(offset + self.buffers[other].bytes), below}
            if sharing := self.permissions.get((other, buffer)):
                found |= set(_multiples(offset - sharing.lowest, -sharing.step))
            if sharing := self.permissions.get((buffer, other)):
                found |= set(_multiples(offset + sharing.lowest, sharing.step))
        return sorted(offset for offset in found if offset >= 0)

    def _fits(self, buffer: int, offset: int, placed: list[tuple[int, int]]) -> bool:
        end = offset + self.buffers[buffer].bytes
        for other, start in placed:
            if end <= start or offset >= start + self.buffers[other].bytes:
                continue
            as_target, as_source = (
                self.permissions.get((other, buffer)),
                self.permissions.get((buffer, other)),
            )
            if as_target and as_target.allows(start - offset):
                continue
            if as_source and as_source.allows(offset - start):
                continue
            return False
        return True


def _multiples(start: int, step: int) -> Iterator[int]:
    """The first offset from `start` on, in steps, that is not negative and aligned; nothing if none is."""
    if start < 0:
        if step < 0:
            return
        start += -(start // step) * step
    for _ in range(ALIGNMENT_BYTES):
        if start >= 0 and start % ALIGNMENT_BYTES == 0:
            yield start
            return
        start += step


def _search(problem: _PlacementProblem) -> list[int]:
    """The best offsets that were found."""
    bound = aligned(lower_bound(problem.buffers, problem.sharings))
    tried = [(problem.peak(offsets), order, offsets) for order in _orders(problem)
             for offsets in [problem.place(order)]]  # fmt: skip
    peak, order, best = min(tried, key=lambda each: each[0])
    rng = random.Random(0)
    count, comparisons = len(problem.buffers), sum(len(others) ** 2 for others in problem.neighbours)
    steps = min(
        _SEARCH_STEPS, _SEARCH_PLACEMENTS // max(1, count), _SEARCH_COMPARISONS // max(1, comparisons)
    )
    for _ in range(steps):
        if peak <= bound:
            break
        moved = _moved(problem, order, best, peak, rng)
        offsets = problem.place(moved)
        if (found := problem.peak(offsets)) <= peak:
            peak, order, best = found, moved, offsets
    return best


def _orders(problem: _PlacementProblem) -> Iterator[list[int]]:
    """Largest first, and other sensible orders; each breaks ties by time, then by number."""
    buffers = problem.buffers
    numbers = range(len(buffers))

    def alive(i: int) -> int:
        return sum(buffers[j].bytes for j in problem.neighbours[i]) + buffers[i].bytes

    yield sorted(numbers, key=lambda i: (-buffers[i].bytes, buffers[i].first, i))
    yield sorted(numbers, key=lambda i: (-buffers[i].bytes, -buffers[i].first, i))
    yield sorted(numbers, key=lambda i: (-alive(i), -buffers[i].bytes, i))
    yield sorted(numbers, key=lambda i: (buffers[i].first, -buffers[i].bytes, i))
    yield sorted(numbers, key=lambda i: (-buffers[i].last, -buffers[i].bytes, i))
    yield sorted(numbers, key=lambda i: (buffers[i].first - buffers[i].last, -buffers[i].bytes, i))
    yield sorted(numbers, key=lambda i: (-buffers[i].bytes * (buffers[i].last - buffers[i].first + 1), i))


def _moved(
    problem: _PlacementProblem, order: list[int], offsets: list[int], peak: int, rng: random.Random
) -> list[int]:
    """The order with one buffer at the top of the arena, or a neighbour of one, placed earlier."""
    top = [i for i in order if aligned(offsets[i] + problem.buffers[i].bytes) == peak]
    chosen = _pick(top, rng)
    if rng.random() < 0.5:
        chosen = _pick([*problem.neighbours[chosen], chosen], rng)
    position = order.index(chosen)
    rest = order[:position] + order[position + 1 :]
    target = int(rng.random() * (position + 1)) if rng.random() < 0.8 else int(rng.random() * len(order))
    return [*rest[:target], chosen, *rest[target:]]


def _pick(numbers: Sequence[int], rng: random.Random) -> int:
    # random() alone is the same in every release of Python.
    return numbers[int(rng.random() * len(numbers))]


def aligned(size: int) -> int:
    """The next multiple of ALIGNMENT_BYTES."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
