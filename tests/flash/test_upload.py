"""Flashing a simulated USB board: everything that can happen between two re-enumerations."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import serial

if sys.platform != "linux":
    pytest.skip(
        "the simulated board rests on how Linux's pseudo terminals tell that they were closed",
        allow_module_level=True,
    )

from tests.doubles.desk import CRASHES, HASTY, MODEL, OLD, OTHER_MODEL, QUICK, TALKS, Desk, program
from tests.doubles.fake_usb_board import BOOTLOADER_ID, SERIAL_NUMBER, SKETCH_ID, Faults
from tests.doubles.fake_usb_cli import fake_build
from tinyml_cli.boards.boards import load_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash import flash as flash_module
from tinyml_cli.link.transport import BAUD
from tinyml_cli.outcomes.stages import Built


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(keeps_name=True),
        Faults(reenumeration_s=0.6),
        Faults(no_serial_numbers=True),
        Faults(deaf_touches=1),
        Faults(lost_uploads=1),
        Faults(broken_uploads=1),
        Faults(broken_uploads=1, moves_after_broken_upload=True),
        Faults(broken_uploads=1, moves_after_broken_upload=True, keeps_name=True),
    ],
    ids=repr,
)
def test_it_ends_well_although(desk: Desk, faults: Faults) -> None:
    with desk.board(faults=faults) as board:
        outcome = desk.flash(timing=HASTY if faults.deaf_touches else QUICK)
        assert board.flash == desk.program.read_bytes()
        assert board.touches == 1 + faults.deaf_touches
        assert board.uploads == 1 + faults.lost_uploads + faults.broken_uploads
        assert outcome.port == board.device
    assert outcome.model == outcome.banner["model"] == MODEL
    assert outcome.serial_number == ("" if faults.no_serial_numbers else SERIAL_NUMBER)
    assert outcome.bootloader_seconds >= faults.reenumeration_s
    assert outcome.upload_seconds > 0


def test_a_board_in_its_bootloader_is_not_touched(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with desk.board(program=b"") as board:
        outcome = desk.flash()
        assert (board.touches, board.uploads) == (0, 1)
    assert "already in its bootloader" in capsys.readouterr().out
    assert outcome.model == MODEL


@pytest.mark.parametrize("faults", [Faults(deaf_touches=99), Faults(vanishes_at_touch=True)], ids=repr)
def test_a_double_press_helps_where_the_touch_does_not(
    desk: Desk, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    with desk.board(faults=faults) as board:

        def press(text: str) -> None:
            asked.append(text)
            board.press_twice(after_s=0.3)

        monkeypatch.setattr(console, "warn", press)
        outcome = desk.flash(timing=HASTY)
    assert len(asked) == 1 and "Double-press" in asked[0] and "up to 9 s" in asked[0]
    assert outcome.model == MODEL


def test_no_bootloader_is_an_error_that_says_how_long_it_waited(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(deaf_touches=99)) as board,
        pytest.raises(TinymlError, match="bootloader did not appear within 1 s") as caught,
    ):
        desk.flash(timing=replace(HASTY, double_press_s=1.0))
    assert "Double-press" in caught.value.next_step
    assert board.touches == 2 and board.uploads == 0 and board.flash == OLD


def test_a_bootloader_that_stays_deaf_is_an_error(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(lost_uploads=9)) as board,
        pytest.raises(TinymlError, match="bootloader does not answer") as caught,
    ):
        desk.flash()
    assert board.uploads == 2
    assert "Double-press" in caught.value.next_step


def test_an_upload_that_breaks_off_twice_is_an_error(desk: Desk) -> None:
    with desk.board(faults=Faults(broken_uploads=9)), pytest.raises(TinymlError, match="SAM-BA") as caught:
        desk.flash()
    assert "TINYML_BOSSAC" in caught.value.next_step


def test_a_board_that_starts_no_program_is_an_error(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(stays_in_bootloader=True)),
        pytest.raises(TinymlError, match="returned to its bootloader"),
    ):
        desk.flash(timing=replace(QUICK, sketch_s=1.0))


def test_a_program_that_crashes_at_start_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(CRASHES)
    with desk.board(), pytest.raises(TinymlError, match="does not appear on USB: it crashes") as caught:
        desk.flash(timing=replace(QUICK, sketch_s=1.0))
    assert "Double-press" in caught.value.next_step


def test_a_program_that_does_not_speak_our_protocol_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(TALKS)
    wrong = r"does not start properly.*does not run tinyml firmware.*Blink"
    with desk.board(), pytest.raises(TinymlError, match=wrong):
        desk.flash(timing=replace(QUICK, banner_s=1.5))


def test_another_model_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(program(OTHER_MODEL))
    with desk.board(), pytest.raises(TinymlError, match=f"reports model {OTHER_MODEL}, not {MODEL}"):
        desk.flash()


def test_no_board_is_an_error_that_lists_the_other_ports(desk: Desk) -> None:
    with pytest.raises(TinymlError, match="No board `nano33ble` is plugged in") as caught:
        desk.flash()
    assert f"{desk.printer.device} (04f9:0001 Label printer)" in caught.value.what
    assert "data cable" in caught.value.next_step


def test_no_board_is_known_before_the_build(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash_module, "build", lambda *arguments: pytest.fail("built"))
    with pytest.raises(TinymlError, match="plugged in"):
        desk.flash()


def test_a_board_that_is_reset_during_the_build_is_found_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.board() as board, desk.board(serial_number="AB12CD34EF56AB78") as other:

        def build_slowly(*arguments: Any) -> Built:
            board.press_twice()
            while board.role != "bootloader":
                time.sleep(0.01)
            return fake_build(desk.program, *arguments)

        monkeypatch.setattr(flash_module, "build", build_slowly)
        outcome = desk.flash(port=board.device)
        assert outcome.port == board.device and outcome.model == MODEL
        assert (board.touches, other.touches) == (0, 0)


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "unnumbered"])
def test_with_several_boards_only_the_chosen_one_is_touched(desk: Desk, numbered: bool) -> None:
    faults = Faults(no_serial_numbers=not numbered)
    with (
        desk.board(faults=faults) as first,
        desk.board(faults=faults, serial_number="AB12CD34EF56AB78") as second,
    ):
        with pytest.raises(TinymlError, match="2 boards `nano33ble` are plugged in") as caught:
            desk.flash()
        assert first.device in caught.value.what and second.device in caught.value.what
        assert (SERIAL_NUMBER in caught.value.what) == numbered
        outcome = desk.flash(port=second.device)
        assert (first.touches, second.touches) == (0, 1)
        assert first.flash == OLD and second.flash == desk.program.read_bytes()
        assert outcome.port == second.device


def test_a_port_of_something_else_is_left_alone(desk: Desk) -> None:
    with desk.board() as board, pytest.raises(TinymlError, match="is not a board `nano33ble`") as caught:
        desk.flash(port=desk.printer.device)
    assert board.touches == 0
    assert "--port" in caught.value.next_step


def test_a_port_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(TinymlError, match="No serial port `/dev/nothing`"):
        desk.flash(port="/dev/nothing")


def test_a_busy_port_names_theprogram(desk: Desk) -> None:
    holder = "import os, sys, time; os.open(sys.argv[1], os.O_RDWR); print(1, flush=True); time.sleep(60)"
    with desk.board() as board:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", holder, board.device], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout and process.stdout.readline()
            with pytest.raises(TinymlError, match=rf"in use by another program: python.*pid {process.pid}\)"):
                desk.flash()
            assert board.touches == 0
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("refusals", [3, 9999], ids=["for a moment", "for ever"])
def test_a_bootloader_port_that_is_forbidden(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    """Rules for new ports act some moments after a port has appeared; or there is none for the bootloader."""
    real, refused = serial.Serial, []

    def open_port(device: str | None, *arguments: Any, **options: Any) -> Any:
        if device and options.get("baudrate") == BAUD and len(refused) < refusals:
            refused.append(device)
            raise serial.SerialException(errno.EACCES, f"could not open port {device}: Permission denied")
        return real(device, *arguments, **options)

    monkeypatch.setattr(serial, "Serial", open_port)
    with desk.board() as board:
        if refusals == 3:
            assert desk.flash().model == MODEL
        else:
            with pytest.raises(TinymlError, match="No permission to open") as caught:
                desk.flash()
            assert caught.value.where == board.device and board.role == "bootloader" and board.uploads == 0


def test_a_forbidden_port_says_which_line_to_paste(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: str, *arguments: object, **options: object) -> None:
        raise serial.SerialException(
            13, f"could not open port {device}: [Errno 13] Permission denied: '{device}'"
        )

    monkeypatch.setattr(serial, "Serial", refuse)
    with desk.board() as board, pytest.raises(TinymlError, match="No permission to open") as caught:
        desk.flash()
    assert board.touches == 0
    assert "usermod -a -G" in caught.value.next_step or 'ATTRS{idVendor}=="2341"' in caught.value.next_step


def test_a_build_without_a_raw_program_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_without_image(*arguments: Any) -> Built:
        outcome = fake_build(desk.program, *arguments)
        Path(outcome.elf).with_suffix(".bin").unlink()
        return outcome

    monkeypatch.setattr(flash_module, "build", build_without_image)
    with desk.board(), pytest.raises(TinymlError, match="no program to upload"):
        desk.flash()


def test_the_simulated_board_has_the_ids_of_the_real_one() -> None:
    for name in ("nano33ble", "nano33ble_rev2"):
        roles = {usb_id.numbers: usb_id.role for usb_id in load_board(name).usb_ids}
        assert roles[SKETCH_ID] == "sketch" and roles[BOOTLOADER_ID] == "bootloader"
        assert {(0x2341, 0x015A), (0x2341, 0x025A)} < set(roles)
