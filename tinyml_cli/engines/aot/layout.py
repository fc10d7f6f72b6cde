"""The layout of tensors in memory: strides, merged dimensions, broadcasting. All counts are of elements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Box:
    """Elements to copy: sizes outermost first, and how far source and target move along each dimension."""

    size: Shape
    source: Shape
    target: Shape

    @property
    def contiguous(self) -> bool:
        """Whether the elements are one run in both."""
        return len(self.size) == 1 and self.source == self.target == (1,)


@dataclass(frozen=True)
class Broadcast:
    """Output sizes outermost first, and how far each operand moves along each dimension; 0 repeats it."""

    size: Shape
    a: Shape
    b: Shape


def strides(shape: Shape) -> Shape:
    """Elements between neighbours along each dimension of a dense tensor."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def merged(size: Sequence[int], *strides_of: Sequence[int]) -> tuple[Shape, ...]:
    """Sizes and strides with dimensions of size 1 dropped and neighbours joined that step as one.

    At least one dimension is left.
    """
    rows: list[list[int]] = []
    for row in zip(size, *strides_of, strict=True):
        if row[0] == 1:
            continue
        inner_size, *inner = row
        if rows and all(outer == step * inner_size for outer, step in zip(rows[-1][1:], inner, strict=True)):
            rows[-1] = [rows[-1][0] * inner_size, *inner]
        else:
            rows.append([inner_size, *inner])
    if not rows:
        rows = [[1] * (1 + len(strides_of))]
    return tuple(tuple(column) for column in zip(*rows, strict=True))


def box(size: Sequence[int], source: Sequence[int], target: Sequence[int]) -> Box:
    """A Box with as few dimensions as it can have."""
    return Box(*merged(size, source, target))


def broadcast(a: Shape, b: Shape, target: Shape) -> Broadcast:
    """How operands of shapes `a` and `b` meet to make `target`, by numpy's rules.

    Raises:
        ValueError: they do not.
    """
    rank = max(len(a), len(b), len(target))
    wide_a, wide_b, wide = ((1,) * (rank - len(shape)) + shape for shape in (a, b, target))
    for left, right, size in zip(wide_a, wide_b, wide, strict=True):
        if size < 1 or left not in (1, size) or right not in (1, size) or size != max(left, right):
            raise ValueError(f"{list(a)} and {list(b)} to {list(target)}")
    step_a, step_b = (
        tuple(
            0 if own == 1 and size != 1 else step
            for own, size, step in zip(shape, wide, strides(shape), strict=True)
        )
        for shape in (wide_a, wide_b)
    )
    return Broadcast(*merged(wide, step_a, step_b))


def initialiser(values: Iterable[int]) -> str:
    """A C initialiser of an array."""
    return "{" + ", ".join(str(value) for value in values) + "}"
