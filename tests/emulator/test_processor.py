"""The modelled core: interrupts, priorities, sleep, floating point, faults; and the clocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.desk import desk


def test_interrupts_clocks_and_faults_are_as_in_the_manuals(program: Callable[[str], Path]) -> None:
    board = desk(program("clocks"))
    board.run(0.2)
    said = board.said.decode()
    values = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said)}
    assert values["rtc"] == 10
    assert values["cycles"] == pytest.approx(3280 * 64e6 / 32768, abs=3000)
    assert values["timer"] == 100
    assert values["systick"] in (10, 11)
    assert 100 <= values["wakes"] <= 122  # each interrupt wakes a core that had masked them all
    assert values["float"] == 113_330  # x → 1.5 x + 1 ten times; the loop's own floats were not disturbed
    # PendSV waits for SVC to end; RTC1 interrupts TIMER0.
    assert "order=sSPtRT" in said
    assert "hard fault" in said and said.endswith("fault\n")
    assert board.board.chip.slept / board.board.chip.now > 0.9
