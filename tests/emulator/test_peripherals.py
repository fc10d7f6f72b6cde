"""The modelled peripherals and parts, through a program of ours that drives their registers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.desk import Desk, desk

Program = Callable[[str], Path]


def probe(program: Program, sensor: str = "lsm9ds1", **more: object) -> Desk:
    board = desk(program("probe"), sensor, **more)  # type: ignore[arg-type]
    board.run(0.05)
    return board


def motion(*samples: tuple[int, ...]) -> bytes:
    return b"".join(struct.pack("<6i", *sample) for sample in samples)


def test_the_first_revisions_sensor_measures_how_the_board_is_moved(program: Program) -> None:
    # 4 g and 2000 degrees a second: 0.122 mg and 70 mdps a step (LSM9DS1 data sheet, table 3).
    board = probe(program, motion=motion((122, -244, 1220, 70_000, -140_000, 35_000)), motion_hz=10.0)
    assert board.ask("l") == f"0 0 {round(1000 / 0.122)} 0 0 0"
    board.board.play()
    expected = "1000 -2000 10000 1000 -2000 500"
    assert board.ask("l") == expected
    assert board.ask("L") == expected  # by EasyDMA
    assert board.ask("b") == "nobody"


def test_rev2s_sensor_measures_on_its_own_axes(program: Program) -> None:
    board = probe(program, "bmi270", motion=motion((1000, 500, -250, 100_000, 0, 0)), motion_hz=10.0)
    board.board.play()
    # 4 g and 2000 degrees a second over 32768 steps; x is the board's -y, y its -x.
    values = board.ask("b", seconds=0.5).split()
    assert values == ["-4096", "-8192", "-2048", "0", str(-round(100 * 32768 / 2000)), "0"]
    assert board.ask("l") == "nobody"


def test_the_microphone_hears_every_sample_of_the_recording_once(program: Program) -> None:
    samples = [1 + 37 * n % 32_000 for n in range(8000)]
    board = probe(program, sound=struct.pack("<8000h", *samples))
    board.host.send(b"p\n")
    board.run(0.3)
    board.board.play()
    board.run(1.5)
    checksum = 0
    for sample in samples:
        checksum = (checksum * 31 + sample) & 0xFFFF_FFFF
    assert board.received.decode().split() == [str(checksum & 0x7FFF_FFFF)]
    assert board.board.microphone.is_over


def test_the_light_shows_the_duty_of_its_pins(program: Program) -> None:
    board = probe(program)
    assert board.ask("s") == "shines"
    # Lit while the pin is low: a quarter, a half, and with the other polarity three quarters of the time.
    assert board.lights[-1] == (64, 128, 191)


def test_flash_is_erased_by_pages_and_written_by_clearing_bits(program: Program) -> None:
    board = probe(program)
    assert board.ask("f") == "-1 -1 1 16711680"
    assert board.ask("f") == "1 -1 2 16711680"
    assert board.ask("R") == ""
    assert board.identities[1:2] == [None] and board.identities[2] == board.identities[0]
    assert board.ask("f") == "2 -1 3 16711680"


def test_the_watchdog_resets_a_program_that_does_not_feed_it(program: Program) -> None:
    board = probe(program)
    assert board.ask("r") == "0"
    assert board.ask("w", seconds=0.15) == "fed"
    board.run(0.03)
    assert board.board.resets == 0
    board.run(0.1)
    assert board.board.resets == 1
    assert board.ask("r") == "2"  # RESETREAS: DOG
    assert board.ask("r") == "0"


def test_random_bytes_come_and_are_the_same_in_every_run(program: Program) -> None:
    first, second = (probe(program).ask("n") for _ in range(2))
    assert first == second and len(set(first.split())) == 4


@pytest.mark.parametrize("moment", [0.0, 0.5])
def test_a_bus_without_power_has_no_parts(program: Program, moment: float) -> None:
    board = probe(program)
    board.run(moment)
    board.board.chip.gpio.write(0x50C, 1 << 22)
    assert board.ask("l") == "nobody"
