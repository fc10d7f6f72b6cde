"""Flashing a simulated USB board: everything that can happen between two re-enumerations."""

from __future__ import annotations

import errno
import functools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import serial

if sys.platform != "linux":
    pytest.skip(
        "the simulated board rests on how Linux's pseudo terminals tell that they were closed",
        allow_module_level=True,
    )

from tests.device.fake_usb_board import (
    BOOTLOADER_ID,
    SERIAL_NUMBER,
    SKETCH_ID,
    Bus,
    FakeUsbBoard,
    Faults,
    OtherDevice,
    comports,
)
from tests.device.fake_usb_cli import fake_build
from tests.device.reference_device import LABELS
from tinyml_cli.console import console
from tinyml_cli.device import flash as flash_module
from tinyml_cli.device.boards import load_board
from tinyml_cli.device.bootloader import Timing
from tinyml_cli.device.build import build
from tinyml_cli.device.flash import flash
from tinyml_cli.device.network import require_network
from tinyml_cli.device.port_errors import port_users
from tinyml_cli.device.transport import BAUD
from tinyml_cli.device.upload_tool import (
    UploadError,
    UploadTool,
    explain_failure,
    find_tool,
    require_tool,
    upload_command,
)
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Artifact, Manifest
from tinyml_cli.run import MODEL_INT8, Run

HERE = Path(__file__).parent
BOSSAC = UploadTool((sys.executable, "-S", str(HERE / "fake_bossac.py")))
QUICK = Timing(
    bootloader_s=4.0, double_press_s=9.0, sketch_s=6.0, banner_s=9.0, settle_s=0.3, access_s=0.5, poll_s=0.02
)
# For boards of which it is known that they will not do what is waited for.
HASTY = replace(QUICK, bootloader_s=0.5, sketch_s=1.0)
MODEL = "0123456789ab"
OTHER_MODEL = "ba9876543210"


def _program(model: str = MODEL) -> bytes:
    call = shlex.join([sys.executable, "-S", str(HERE / "reference_device.py"), "--stdio", "--model", model])
    # As large as a small firmware, so that its upload takes several pages.
    return f"#!/bin/sh\nexec {call}\n".encode() + b"#" * 50_000 + b"\n"


CRASHES = b"#!/bin/sh\nexit 1\n"
TALKS = b"#!/bin/sh\nwhile sleep 0.1; do echo Blink; done\n"
OLD = _program(OTHER_MODEL)


class Desk:
    """A computer with a bus, a printer that must not be touched, a run and what its build shall yield."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bus = Bus(folder / "ports.json")
        self.printer = OtherDevice(self.bus)
        self.program = folder / "built"
        self.program.write_bytes(_program())
        self.run = Run(folder / "run")
        self.run.path.mkdir()
        manifest = Manifest(task="kws", seed=1, labels=LABELS)
        manifest.artifacts[MODEL_INT8] = Artifact(sha256=MODEL + "0" * 52, bytes=1, made_by="test")
        self.run.save(manifest)

    def board(self, program: bytes = OLD, faults: Faults | None = None, **more: Any) -> FakeUsbBoard:
        return FakeUsbBoard(self.bus, program, self.folder, faults, **more)

    def flash(self, port: str | None = None, timing: Timing = QUICK) -> dict[str, Any]:
        return flash(self.run, "nano33ble", port=port, tool=BOSSAC, timing=timing)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    monkeypatch.setattr("serial.tools.list_ports.comports", functools.partial(comports, desk.bus.file))
    monkeypatch.setattr(flash_module, "build", functools.partial(fake_build, desk.program))
    yield desk
    assert not desk.printer.was_opened


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
        assert outcome["port"] == board.device
    assert outcome["model"] == outcome["banner"]["model"] == MODEL
    assert outcome["serial_number"] == ("" if faults.no_serial_numbers else SERIAL_NUMBER)
    assert outcome["bootloader_seconds"] >= faults.reenumeration_s
    assert outcome["upload_seconds"] > 0


def test_a_board_in_its_bootloader_is_not_touched(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with desk.board(program=b"") as board:
        outcome = desk.flash()
        assert (board.touches, board.uploads) == (0, 1)
    assert "already in its bootloader" in capsys.readouterr().out
    assert outcome["model"] == MODEL


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
    assert len(asked) == 1 and "reset button twice" in asked[0] and "up to 9 s" in asked[0]
    assert outcome["model"] == MODEL


def test_no_bootloader_is_an_error_that_says_how_long_it_waited(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(deaf_touches=99)) as board,
        pytest.raises(TinymlError, match="bootloader did not appear within 1 s") as caught,
    ):
        desk.flash(timing=replace(HASTY, double_press_s=1.0))
    assert "twice" in caught.value.next_step
    assert board.touches == 2 and board.uploads == 0 and board.flash == OLD


def test_a_bootloader_that_stays_deaf_is_an_error(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(lost_uploads=9)) as board,
        pytest.raises(TinymlError, match="bootloader does not answer") as caught,
    ):
        desk.flash()
    assert board.uploads == 2
    assert "twice" in caught.value.next_step


def test_an_upload_that_breaks_off_twice_is_an_error(desk: Desk) -> None:
    with desk.board(faults=Faults(broken_uploads=9)), pytest.raises(TinymlError, match="SAM-BA") as caught:
        desk.flash()
    assert "TINYML_BOSSAC" in caught.value.next_step


def test_a_board_that_starts_no_program_is_an_error(desk: Desk) -> None:
    with (
        desk.board(faults=Faults(stays_in_bootloader=True)),
        pytest.raises(TinymlError, match="came back in its bootloader"),
    ):
        desk.flash(timing=replace(QUICK, sketch_s=1.0))


def test_a_program_that_crashes_at_start_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(CRASHES)
    with desk.board(), pytest.raises(TinymlError, match="does not come back on USB: it crashes") as caught:
        desk.flash(timing=replace(QUICK, sketch_s=1.0))
    assert "twice" in caught.value.next_step


def test_a_program_that_does_not_speak_our_protocol_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(TALKS)
    with desk.board(), pytest.raises(TinymlError, match=r"does not start well.*no tinyml firmware.*Blink"):
        desk.flash(timing=replace(QUICK, banner_s=1.5))


def test_another_model_is_an_error(desk: Desk) -> None:
    desk.program.write_bytes(_program(OTHER_MODEL))
    with desk.board(), pytest.raises(TinymlError, match=f"answers with model {OTHER_MODEL}, not {MODEL}"):
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
        assert outcome["port"] == second.device


def test_a_port_of_something_else_is_left_alone(desk: Desk) -> None:
    with desk.board() as board, pytest.raises(TinymlError, match="is not a board `nano33ble`") as caught:
        desk.flash(port=desk.printer.device)
    assert board.touches == 0
    assert "--port" in caught.value.next_step


def test_a_port_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(TinymlError, match="no serial port `/dev/nothing`"):
        desk.flash(port="/dev/nothing")


def test_a_busy_port_names_the_program(desk: Desk) -> None:
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
            assert desk.flash()["model"] == MODEL
        else:
            with pytest.raises(TinymlError, match="may not be opened by this user") as caught:
                desk.flash()
            assert caught.value.where == board.device and board.role == "bootloader" and board.uploads == 0


def test_a_forbidden_port_says_which_line_to_paste(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: str, *arguments: object, **options: object) -> None:
        raise serial.SerialException(
            13, f"could not open port {device}: [Errno 13] Permission denied: '{device}'"
        )

    monkeypatch.setattr(serial, "Serial", refuse)
    with desk.board() as board, pytest.raises(TinymlError, match="may not be opened by this user") as caught:
        desk.flash()
    assert board.touches == 0
    assert "usermod -a -G" in caught.value.next_step or 'ATTRS{idVendor}=="2341"' in caught.value.next_step


def test_a_cleared_build_folder_is_built_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = []

    def build_without_image(*arguments: Any) -> dict[str, Any]:
        outcome = fake_build(desk.program, *arguments)
        record = Path(outcome["elf"]).with_name("size.json")
        if not builds:
            (record.parent / ".pio/build/nano33ble/firmware.bin").unlink()
            record.write_text("{}")
        builds.append(record.is_file())
        return outcome

    monkeypatch.setattr(flash_module, "build", build_without_image)
    with desk.board():
        assert desk.flash()["model"] == MODEL
    assert builds == [True, False]


# The upload tool


def test_the_call_is_the_one_that_platformio_ends_in() -> None:
    command = upload_command(("bossac",), "/dev/ttyACM0", Path("firmware.bin"))
    assert " ".join(command) == "bossac --port ttyACM0 --write --erase -U --reset firmware.bin"
    assert "COM5" in upload_command(("bossac",), "COM5", Path("firmware.bin"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("No device found on ttyACM0", "bootloader does not answer"),
        ("\nSAM-BA operation failed", "broke off"),
        ("bossac: /dev/ttyACM0: Permission denied", "may not be opened by this user"),
        ("open: Device or resource busy", "in use by another program"),
        ("Flash command failed", "exit code 1: Flash command failed"),
        ("", "exit code 1: it printed nothing"),
    ],
)
def test_what_the_tool_says_becomes_advice(said: str, expected: str) -> None:
    error = explain_failure(said.splitlines(), 1, "/dev/ttyACM0")
    assert expected in error.what and error.next_step and error.where == "/dev/ttyACM0"


def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    tool = UploadTool((sys.executable, "-c", "import time; time.sleep(60)"), timeout_s=0.5)
    with pytest.raises(UploadError, match="hung"):
        tool.upload("/dev/ttyACM0", tmp_path)


def test_a_tool_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="cannot be started") as caught:
        UploadTool((str(tmp_path / "bossac"),)).upload("/dev/ttyACM0", tmp_path)
    assert "1.9.1-arduino2" in caught.value.next_step


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any package, behind a proxy that refuses."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    for name in ("TINYML_BOSSAC", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_missing_tool_without_a_network_is_known_in_seconds(bare_home: Path) -> None:
    started = time.monotonic()
    with pytest.raises(TinymlError, match="no network to download the upload tool") as caught:
        require_tool()
    assert time.monotonic() - started < 6.0
    assert "HTTPS_PROXY" in caught.value.next_step


def test_a_server_that_never_answers_is_given_up(bare_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(TinymlError, match="no network"):
            require_network("a package", [url, "http://127.0.0.1:9/"], timeout_s=0.5)
        assert time.monotonic() - started < 2.0


def test_the_tool_of_the_arduino_ide_is_found(bare_home: Path) -> None:
    assert find_tool() is None
    bossac = bare_home / ".arduino15/packages/arduino/tools/bossac/1.9.1-arduino2/bossac"
    bossac.parent.mkdir(parents=True)
    bossac.touch()
    assert find_tool() == bossac and require_tool().program == (str(bossac),)


def test_an_override_that_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_BOSSAC", "/no/bossac")
    with pytest.raises(TinymlError, match="TINYML_BOSSAC names no file"):
        require_tool()


# The real command line


@pytest.fixture
def cli(desk: Desk) -> Callable[..., subprocess.Popen[str]]:
    """Starts `tinyml` as a process of its own that sees the desk's bus."""
    bossac = desk.folder / "bossac"
    bossac.write_text(f'#!/bin/sh\nexec {shlex.join(BOSSAC.program)} "$@"\n')
    bossac.chmod(0o755)
    setup = desk.folder / "setup.json"
    files = {"ports": str(desk.bus.file), "program": str(desk.program)}

    def start(*arguments: str, timing: Timing = QUICK) -> subprocess.Popen[str]:
        setup.write_text(json.dumps(files | {"timing": asdict(timing)}))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.device.fake_usb_cli", str(setup), *arguments],
            cwd=HERE.parent.parent,
            env={**os.environ, "TINYML_BOSSAC": str(bossac)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def _answer(process: subprocess.Popen[str], code: int) -> Any:
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    return json.loads(out)


def test_the_command_line_flashes_real_firmware(
    desk: Desk, cli: Callable[..., subprocess.Popen[str]], firmware_run: Run
) -> None:
    desk.program.write_bytes(Path(build(firmware_run, "native", "aot")["elf"]).read_bytes())
    model = firmware_run.manifest().artifacts[MODEL_INT8].sha256
    with desk.board() as board:
        answer = _answer(cli("flash", str(firmware_run.path), "--board", "nano33ble", "--json"), 0)
        assert answer["port"] == board.device
        assert (board.touches, board.uploads) == (1, 1)
    assert model.startswith(answer["model"]) and answer["banner"]["board"] == "native"
    assert answer["serial_number"] == SERIAL_NUMBER
    assert {"elf", "engine", "bootloader_seconds", "upload_seconds"} <= set(answer)


def test_the_command_line_without_a_board(desk: Desk, cli: Callable[..., subprocess.Popen[str]]) -> None:
    error = _answer(cli("flash", str(desk.run.path), "--board", "nano33ble", "--json"), 2)["error"]
    assert "No board" in error["what"] and error["where"] == "USB" and "cable" in error["next_step"]


def test_the_command_line_with_two_boards(desk: Desk, cli: Callable[..., subprocess.Popen[str]]) -> None:
    with desk.board() as first, desk.board(serial_number="AB12CD34EF56AB78") as second:
        error = _answer(cli("flash", str(desk.run.path), "--board", "nano33ble", "--json"), 2)["error"]
        assert error["where"] == "--port" and "AB12CD34EF56AB78" in error["what"]
        assert first.touches == second.touches == 0


@pytest.mark.parametrize(
    ("faults", "timing", "is_reached", "state"),
    [
        (Faults(deaf_touches=99), HASTY, lambda board: board.touches == 2, "old program whole"),
        (Faults(stalls=True), QUICK, lambda board: board.flash == b"", "no whole program"),
    ],
    ids=["waiting", "uploading"],
)
def test_an_interruption_says_what_the_board_holds(
    desk: Desk,
    cli: Callable[..., subprocess.Popen[str]],
    faults: Faults,
    timing: Timing,
    is_reached: Callable[[FakeUsbBoard], bool],
    state: str,
) -> None:
    before = sorted(path.name for path in desk.run.path.iterdir())
    with desk.board(faults=faults) as board:
        process = cli("flash", str(desk.run.path), "--board", "nano33ble", "--json", timing=timing)
        deadline = time.monotonic() + 30.0
        while not is_reached(board) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130 and out == ""
        assert state in err and "Traceback" not in err
        assert port_users(board.device) == []
    assert sorted(path.name for path in desk.run.path.iterdir()) == sorted({*before, "firmware"})


def test_the_simulated_board_has_the_ids_of_the_real_one() -> None:
    for name in ("nano33ble", "nano33ble_rev2"):
        roles = {usb_id.numbers: usb_id.role for usb_id in load_board(name).usb_ids}
        assert roles[SKETCH_ID] == "sketch" and roles[BOOTLOADER_ID] == "bootloader"
        assert {(0x2341, 0x015A), (0x2341, 0x025A)} < set(roles)


def test_a_virtual_board_is_flashed_as_before(firmware_run: Run, tinyml: Callable[..., Any]) -> None:
    answer = tinyml("flash", firmware_run.path, "--board", "native", "--json", cwd=firmware_run.path).json
    assert answer["banner"]["board"] == "native" and "port" not in answer
    refused = ("flash", firmware_run.path, "--board", "native", "--port", "COM5", "--json")
    assert tinyml(*refused, cwd=firmware_run.path, code=2).json["error"]["where"] == "--port"
