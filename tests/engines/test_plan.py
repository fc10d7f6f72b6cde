"""The memory plan."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.engines.aot.plan import ALIGNMENT_BYTES, Buffer, plan

_LIVES = st.lists(st.tuples(st.integers(1, 500), st.integers(-1, 12), st.integers(0, 6)), max_size=20)


@given(lives=_LIVES)
def test_buffers_alive_together_never_share_a_byte(lives: list[tuple[int, int, int]]) -> None:
    buffers = [Buffer(f"B{i}", size, first, first + length) for i, (size, first, length) in enumerate(lives)]
    made = plan(buffers)
    for buffer in buffers:
        start = made.offsets[buffer.name]
        assert start % ALIGNMENT_BYTES == 0
        assert start >= 0 and start + buffer.bytes <= made.arena_bytes
        for other in buffers:
            if other is not buffer and buffer.overlaps(other):
                apart = made.offsets[other.name]
                assert start + buffer.bytes <= apart or apart + other.bytes <= start


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    chain = [Buffer(f"T{i}", size, i - 1, i) for i, size in enumerate([96, 480, 320, 64])]
    assert plan(chain).arena_bytes == 480 + 320


def test_nothing_to_place() -> None:
    assert plan([]).arena_bytes == 0
