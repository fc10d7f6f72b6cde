"""The plugin against programs that were counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile.programs import assemble, count
from tinyml_cli.errors import TinymlError
from tinyml_cli.profile.cycles import Component
from tinyml_cli.profile.emulate import Counts, attribute
from tinyml_cli.profile.program import load_program
from tinyml_cli.profile.trace import CodeBlock, Segment, Trace

SOURCE = Path(__file__).with_name("counted.S")


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(SOURCE, tmp_path_factory.mktemp("counted"))


@pytest.fixture(scope="module")
def counts(elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Counts:
    return count(elf, tmp_path_factory.mktemp("trace"))


def test_a_loop_of_a_hundred(counts: Counts) -> None:
    loop = counts.operators[0]
    assert loop.instructions == 1 + 2 * 100 + 1
    # 99 of 100 branches are taken, and the return: each refills the pipeline, in 1, 2 or 3 cycles.
    assert loop.cycles == loop.instructions + 2 * (99 + 1)
    assert loop.cycles_lowest == loop.instructions + 1 * (99 + 1)
    # Its code of eight bytes is fetched once, with three wait states for each line of 16 bytes.
    assert loop.cycles_highest == loop.instructions + 3 * (99 + 1) + 3 * loop.cache_misses
    assert 1 <= loop.cache_misses <= 2
    assert loop.components[Component.ARITHMETIC] == 101
    assert loop.components[Component.BRANCH] == 101 + 2 * 100


def test_an_instruction_across_pages_counts_once(counts: Counts) -> None:
    across = counts.operators[1]
    assert across.instructions == 2 + 4 * 3 + 3
    # PUSH and POP of four registers take five cycles each; two of three branches are taken, and the return.
    assert across.cycles == 2 + 4 * 3 + 5 + 5 + 1 + 2 * (2 + 1)


def test_what_calls_the_operators_is_apart(counts: Counts) -> None:
    assert counts.outside.instructions == 6
    # PUSH 1 + 2, BL 1 + refill three times, MOVS, POP with the return 1 + 2 + refill
    assert counts.outside.cycles == 3 + 3 * 3 + 1 + 5
    assert counts.total.instructions == sum(c.instructions for c in counts.operators.values()) + 6


def test_reads_of_flash(counts: Counts) -> None:
    reads = counts.operators[2]
    assert reads.flash_reads == counts.total.flash_reads == 1 + 2
    # LDR 2, ADR 1, LDM 1 + 2, STR 1, LDR 2, BX 1 + refill; each read of flash may wait for two cycles.
    assert reads.cycles == 2 + 1 + 3 + 1 + 2 + 3
    assert reads.cycles_with_flash == reads.cycles + 3 * 2 + reads.cache_misses * 3
    assert reads.cycles_highest == reads.cycles_with_flash + 1


def test_functions_add_up(counts: Counts) -> None:
    assert set(counts.functions) == {"network_invoke", "op_00_loop", "op_01_page", "op_02_reads"}
    assert sum(cost.cycles for cost in counts.functions.values()) == counts.total.cycles


def test_depth_of_the_stack(counts: Counts) -> None:
    assert counts.stack_bytes == counts.stack_bytes_ever == 4 * (2 + 4)


def test_an_interpreters_operators_are_known_by_their_order(counts: Counts, tmp_path: Path) -> None:
    suffix = "P13TfLiteContextP10TfLiteNode"
    names = {name: f"_Z4{name[3:]}{suffix}" for name in ("op_00_loop", "op_01_page", "op_02_reads")}
    names["network_invoke"] = "_ZN6tflite16MicroInterpreter6InvokeEv"
    elf = assemble(SOURCE, tmp_path, *(f"-D{old}={new}" for old, new in names.items()))
    interpreted = count(elf, tmp_path, "tflm")
    assert interpreted.operators == counts.operators
    assert interpreted.outside == counts.outside


def test_equal_functions_that_were_merged_are_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "merged.S"
    text = SOURCE.read_text().replace("bl op_02_reads", "bl op_05_loop")
    source.write_text(
        text + "  .type op_05_loop, %function\n  .thumb_set op_05_loop, op_00_loop\n  .size op_05_loop, 8\n"
    )
    merged = count(assemble(source, tmp_path), tmp_path)
    assert set(merged.operators) == {0, 1, 5}
    assert merged.operators[0].components == merged.operators[5].components
    # The second time its code is in the cache.
    assert merged.operators[0].cache_misses > merged.operators[5].cache_misses == 0


def _trace(*segments: Segment) -> Trace:
    return Trace(segments, stack_lowest=0x20000F00, stack_lowest_ever=0x20000F00)


@pytest.mark.parametrize(
    ("segment", "says"),
    [
        (Segment(0, (CodeBlock(0x00F00000, 0x00F00004, 1, 0),)), "but the program has none there"),
        (Segment(0x1234, ()), "operator at 0x1234"),
        (Segment(0, (CodeBlock(0x3FE + 0x400, 0x3FE + 0x402, 1, 0),)), "truncated"),
    ],
)
def test_counts_of_another_program_are_refused(elf: Path, segment: Segment, says: str) -> None:
    program = load_program(elf)
    with pytest.raises(TinymlError) as caught:
        attribute(program, _trace(segment), program.operators("aot"))
    assert says in str(caught.value)


def test_a_program_without_the_engine_is_refused(elf: Path) -> None:
    with pytest.raises(TinymlError, match="MicroInterpreter"):
        load_program(elf).window("tflm")


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    for content in (b"", b"\x7fELF", b"\x7fELF\x01\x01\x01" + bytes(60), b"text"):
        path.write_bytes(content)
        with pytest.raises(TinymlError, match="Cannot read"):
            load_program(path)
