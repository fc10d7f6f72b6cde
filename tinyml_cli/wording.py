"""Words that depend on a number."""

from __future__ import annotations


def counted(n: int, one: str, many: str = "") -> str:
    """A number and what it counts: "1 clip", "2 clips", "1,200 normal windows".

    Args:
        n: how many.
        one: the words after 1.
        many: the words after any other number; `one` with an s by default.
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
