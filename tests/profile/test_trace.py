"""Output of the plugin that is not what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.errors import TinymlError
from tinyml_cli.profile.trace import CodeBlock, Segment, parse_trace, read_trace

GOOD = """\
tcg_profile 2
segment 0
block 100 108 1 1
reads 3 5
segment 200
block 200 204 10 9
block 204 208 1 0
reads 0 0
stack 20000f00 20000e00
end
"""


def test_a_good_one() -> None:
    trace = parse_trace(GOOD)
    assert trace.segments == (
        Segment(0, (CodeBlock(0x100, 0x108, 1, 1),), flash_reads=3, cache_misses=5),
        Segment(0x200, (CodeBlock(0x200, 0x204, 10, 9), CodeBlock(0x204, 0x208, 1, 0))),
    )
    assert (trace.stack_lowest, trace.stack_lowest_ever) == (0x20000F00, 0x20000E00)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tcg_profile 2", "tcg_profile 1"),
        ("\nend\n", "\n"),
        ("segment 0\n", ""),
        ("segment 200", "segment 2000000000"),
        ("block 204 208 1 0", "block 208 204 1 0"),
        ("block 204 208 1 0", "block 204 208 1 2"),
        ("block 204 208 1 0", "block 204 208 -1 0"),
        ("block 204 208 1 0", "block 204 208 0 0"),
        ("block 204 208 1 0", "block 205 208 1 0"),
        ("block 204 208 1 0", "block 204 208 1"),
        ("block 204 208 1 0", "block 204 208 1 0 0"),
        ("block 204 208 1 0", "block 204 208 9999999999999999999 0"),
        ("block 204 208 1 0", "block 204 208 ١ 0"),
        ("block 204 208 1 0", ""),
        ("reads 3 5\n", ""),
        ("reads 0 0\n", ""),
        ("reads 3 5", "reads -3 5"),
        ("reads 3 5", "reads 3 5\nreads 3 5"),
        ("stack 20000f00 20000e00", "stack 20000f00"),
        ("stack 20000f00 20000e00", "stack x 0"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    path = tmp_path / "trace"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(TinymlError, match="damaged"):
        read_trace(path)


def test_no_trace_says_what_happened(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="never returned"):
        read_trace(tmp_path / "trace")


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=12))
def test_any_damage_is_a_value_error_or_a_trace(place: int, noise: bytes) -> None:
    data = GOOD.encode()
    damaged = (data[:place] + noise + data[place + len(noise) :]).decode("latin-1")
    try:
        trace = parse_trace(damaged)
    except ValueError:
        return
    assert all(block.start < block.end for segment in trace.segments for block in segment.blocks)
