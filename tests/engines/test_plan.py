"""The memory plan: buffers, permissions to share, and how well they are packed."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.engines.aot import plan as planning
from tinyml_cli.engines.aot.plan import ALIGNMENT_BYTES, Buffer, Sharing, aligned, lower_bound, plan

_LIVES = st.lists(st.tuples(st.integers(1, 500), st.integers(-1, 12), st.integers(0, 6)), max_size=20)
_RANGES = st.tuples(
    st.integers(-600, 600), st.one_of(st.none(), st.integers(0, 200)), st.sampled_from([1, 4, 12, 7])
)


def buffers_of(lives: list[tuple[int, int, int]]) -> list[Buffer]:
    return [Buffer(f"B{i}", size, first, first + length) for i, (size, first, length) in enumerate(lives)]


def sharings_of(
    buffers: list[Buffer], ranges: list[tuple[int, int | None, int]], wanted: list[int]
) -> list[Sharing]:
    """Permissions between buffers of which one dies where the other is born."""
    pairs = [
        (a, b)
        for a, b in itertools.permutations(buffers, 2)
        if a.last == b.first and a.first < b.first and b.last > a.last
    ]
    chosen = {pairs[number % len(pairs)] for number in wanted} if pairs else set()
    return [
        Sharing(a.name, b.name, low, None if width is None else low + width, step)
        for (a, b), (low, width, step) in zip(sorted(chosen, key=str), itertools.cycle(ranges), strict=False)
    ]


def check(buffers: list[Buffer], sharings: list[Sharing]) -> int:
    """No two buffers that are alive together share a byte, unless a permission covers exactly that."""
    made = plan(buffers, sharings)
    permissions = {(each.source, each.target): each for each in sharings}
    for buffer in buffers:
        start = made.offsets[buffer.name]
        assert start % ALIGNMENT_BYTES == 0
        assert start >= 0 and start + buffer.bytes <= made.arena_bytes
    for one, other in itertools.permutations(buffers, 2):
        start, apart = made.offsets[one.name], made.offsets[other.name]
        if not one.overlaps(other) or start + one.bytes <= apart or apart + other.bytes <= start:
            continue
        forward, backward = (
            permissions.get(names) for names in ((one.name, other.name), (other.name, one.name))
        )
        distance = start - apart
        assert (forward and in_range(forward, distance)) or (backward and in_range(backward, -distance))
    assert made.arena_bytes >= lower_bound(buffers, sharings)
    return made.arena_bytes


def in_range(sharing: Sharing, distance: int) -> bool:
    return (
        distance >= sharing.lowest
        and (sharing.highest is None or distance <= sharing.highest)
        and (distance - sharing.lowest) % sharing.step == 0
    )


@settings(deadline=None, max_examples=60)
@given(lives=_LIVES)
def test_buffers_alive_together_never_share_a_byte(lives: list[tuple[int, int, int]]) -> None:
    check(buffers_of(lives), [])


@settings(deadline=None, max_examples=120)
@given(
    lives=_LIVES,
    ranges=st.lists(_RANGES, min_size=1, max_size=8),
    wanted=st.lists(st.integers(0, 1000), max_size=8),
)
def test_buffers_share_bytes_only_as_permitted(
    lives: list[tuple[int, int, int]], ranges: list[tuple[int, int | None, int]], wanted: list[int]
) -> None:
    buffers = buffers_of(lives)
    check(buffers, sharings_of(buffers, ranges, wanted))


@settings(deadline=None, max_examples=40)
@given(lives=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 4), st.integers(0, 3)), max_size=5))
def test_small_problems_are_solved_as_well_as_any_order_can(lives: list[tuple[int, int, int]]) -> None:
    buffers = buffers_of(lives)
    problem = planning._PlacementProblem(tuple(buffers), ())
    best = min(problem.peak(problem.place(order)) for order in itertools.permutations(range(len(buffers))))
    assert plan(buffers).arena_bytes == best


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(1, 500), min_size=1, max_size=16))
def test_a_chain_in_place_needs_its_largest_buffer(sizes: list[int]) -> None:
    sizes = sorted(sizes, reverse=True)
    chain = [Buffer(f"T{i}", size, i - 1, i) for i, size in enumerate(sizes)]
    sharings = [Sharing(f"T{i}", f"T{i + 1}", 0, 0) for i in range(len(sizes) - 1)]
    assert check(chain, sharings) == aligned(sizes[0])


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    chain = [Buffer(f"T{i}", size, i - 1, i) for i, size in enumerate([96, 480, 320, 64])]
    assert plan(chain).arena_bytes == 480 + 320


def test_a_target_grows_into_its_source_diagonally() -> None:
    source, target = Buffer("S", 1000, 0, 1), Buffer("T", 1000, 1, 2)
    assert check([source, target], [Sharing("S", "T", 100)]) == 1100
    assert check([source, target], [Sharing("S", "T", -300)]) == 1000
    assert check([source, target], [Sharing("S", "T", 102, step=2)]) == 1104
    assert check([source, target], [Sharing("S", "T", 2000)]) == 2000
    assert lower_bound([source, target], [Sharing("S", "T", 100)]) == 1100


def test_where_fixed_orders_pack_badly_the_search_finds_a_better_one() -> None:
    lives = [(24, 3, 0), (28, 0, 1), (16, 1, 0), (8, 2, 0), (20, 1, 1), (32, 2, 2)]
    buffers = buffers_of(lives)
    problem = planning._PlacementProblem(tuple(buffers), ())
    assert min(problem.peak(problem.place(order)) for order in planning._orders(problem)) == 68
    assert plan(buffers).arena_bytes == lower_bound(buffers) == 64


def test_equal_problems_have_equal_plans() -> None:
    lives = [(17 * i % 97 + 1, i % 9, i % 4) for i in range(25)]
    assert plan(buffers_of(lives)) == plan(buffers_of(lives))


def test_nothing_to_place() -> None:
    assert plan([]).arena_bytes == 0
    assert lower_bound([]) == 0
