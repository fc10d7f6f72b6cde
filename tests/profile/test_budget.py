"""Budgets: what is written, and how a report is judged."""

from __future__ import annotations

import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.profiles import ProfileFigures, ProgramMemory
from tinyml_cli.profile.budget import judge, parse_budget

REPORT = ProfileFigures.filled(
    run="r",
    model_sha256="0" * 64,
    board="sim",
    engine="aot",
    app="bench",
    chip="nano33ble",
    clock_hz=64_000_000,
    macs=1000,
    time_ms=12.5,
    operators=[],
    functions=[],
    symbols=[],
    memory=ProgramMemory.filled(flash_bytes=102_400, ram_bytes=20_480, arena_bytes=4096, stack_bytes=1000),
    evidence={},
    instructions=600_000,
    cycles=800_000,
    energy_uj=123.75,
)


def over(text: str, report: ProfileFigures = REPORT) -> dict[str, float]:
    return {verdict.name: verdict.over for verdict in judge(report, parse_budget(text))}


def test_suffixes() -> None:
    limits = {
        limit.name: limit.most for limit in parse_budget("flash=900k,ram=0.5M,instructions=2.5m,cycles=3K")
    }
    assert limits == {
        "flash": 900 * 1024,
        "ram": 512 * 1024,
        "instructions": 2_500_000,
        "cycles": 3000,
    }


def test_the_limit_itself_is_kept() -> None:
    assert over("flash=100k,ram=20k,arena=4k,stack=1000,ms=12.5,energy_uj=123.75") == dict.fromkeys(
        ("flash", "ram", "arena", "stack", "ms", "energy_uj"), 0
    )


def test_how_far_over() -> None:
    assert over("flash=102399,ms=12, instructions=500k") == {"flash": 1, "ms": 0.5, "instructions": 100_000}
    (verdict,) = judge(REPORT, parse_budget("flash=99k"))
    assert str(verdict) == "flash is 102,400 B, the budget 101,376 B: 1,024 B over"
    (verdict,) = judge(REPORT, parse_budget("ms=12"))
    assert str(verdict) == "ms is 12.5 ms, the budget 12 ms: 0.5 ms over"


def test_a_real_board_is_judged_by_its_own_firmware() -> None:
    memory = REPORT.memory.model_copy(update={"board_flash_bytes": 300_000, "board_ram_bytes": 90_000})
    on_board = REPORT.model_copy(update={"board": "nano33ble", "memory": memory})
    assert over("flash=200000,ram=90000", on_board) == {"flash": 100_000, "ram": 0}


@pytest.mark.parametrize(
    "text",
    [
        "", ",", "flash", "flash=", "=3", "flash=3x", "flash=-3", "flash=0", "flash=1e3", "flash=nan",
        "flash=inf", "ms=2k", "rom=3", "flash=3,flash=4", "flash=3,", "flash=٣", "flash=" + "9" * 400,
        "flash=3 k", "flash==3",
    ],
)  # fmt: skip
def test_no_budget(text: str) -> None:
    with pytest.raises(TinymlError) as caught:
        parse_budget(text)
    assert caught.value.where == "--budget"
    assert caught.value.next_step


def test_a_figure_that_the_report_lacks() -> None:
    report = REPORT.model_copy(update={"board": "native", "instructions": None})
    with pytest.raises(TinymlError, match="instructions"):
        judge(report, parse_budget("instructions=5"))
