"""The parts of the real board's Hal that need no board: ring buffer, serial writer, clock, axes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("hal_parts", "hal")


def written(program: Path, script: str, *texts: str) -> tuple[str, int]:
    """What reaches a host that behaves like `script`, and how often the writer had to wait."""
    said, waits = run(program, "write", script, *texts).decode().rsplit("|", 1)
    return said, int(waits)


def test_a_host_that_reads_gets_everything(program: Path) -> None:
    assert written(program, "", "one\ntwo\n", "thr", "ee\n") == ("one\ntwo\nthree\n", 0)
    assert written(program, "2n3nn1", "abcdefgh\n") == ("abcdefgh\n", 3)


def test_a_host_that_stops_reading_costs_its_time_once(program: Path) -> None:
    said, waits = written(program, "n" * 11 + "nnn", "one\n", "two\n", "three\n", "four\n", "five\n")
    assert waits == 10  # 100 ms, once
    assert said == "five\n"  # "one" after the wait, then "two" to "four" at once


def test_a_cut_line_is_ended_and_its_rest_never_sent(program: Path) -> None:
    said, _ = written(program, "3" + "n" * 11, "abcdef", "ghi\n", "whole\n")
    assert said == "abc\nwhole\n"


def test_the_start_of_a_dropped_line_drops_its_rest(program: Path) -> None:
    said, _ = written(program, "n" * 11, "lost ", "lost too\nkept\n")
    assert said == "kept\n"


def test_a_host_that_goes_away_is_not_waited_for(program: Path) -> None:
    said, waits = written(program, "2g", "abcdef\n", "never\n", "half", "-", " of it\n", "back\n")
    assert (said, waits) == ("abback\n", 0)


def test_a_day_of_microseconds_never_goes_back(program: Path) -> None:
    assert int(run(program, "day")) >= 86_400_000_000


def test_samples_arrive_once_and_in_order_from_another_thread(program: Path) -> None:
    assert run(program, "race") == b"1 1\n"


def test_a_block_without_room_is_refused_whole_and_counted(program: Path) -> None:
    assert run(program, "overrun") == b"1 0 4 1 8 1: 5 6 1 2 3 4 5 6\n"


def test_both_revisions_feel_the_same(program: Path) -> None:
    first, rev2, turned, rounded, not_a_number, too_large = run(program, "axes").decode().splitlines()
    assert first == rev2 == turned == "100 -200 980"
    assert rounded == "0 1 -1"
    assert not_a_number == too_large == "refused"


PICTURE = "0 1 2 3 10 11 12 13 20 21 22 23"


def test_a_frame_is_read_from_its_start(program: Path) -> None:
    assert run(program, "picture", "4000000000", "0").decode().startswith(f"{PICTURE} ")
    assert run(program, "picture", "4000000000", "1").decode().startswith("0 2 10 12 20 22 ")


def test_a_camera_pulled_out_at_any_moment_stops_nothing(program: Path) -> None:
    whole = int(run(program, "picture", "4000000000", "0").split()[-2])
    for silent_from in range(1, whole, 17):
        *frame, polls, interrupts = run(program, "picture", str(silent_from), "0").decode().split()
        assert frame == ["none"] and interrupts == "1"
        assert int(polls) < 210_000


def test_the_host_sees_all_that_was_sent(program: Path) -> None:
    for count in (0, 1, 63, 64, 65, 127, 128, 129, 192):
        assert int(run(program, "packets", str(count))) == count


def test_a_motion_sensor_that_stops_answering_gives_no_sample() -> None:
    imu = compile_harness("imu", "hal")
    assert run(imu) == b"lsm9ds1 1000 -500 4000 -2293760 1146880 70"  # 70 mdps a step
    for answered in range(4):
        assert run(imu, str(answered)) == b"none"
    assert run(imu, "short") == b"none"
