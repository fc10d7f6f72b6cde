"""`tinyml flash` as a process of its own, on a computer with a simulated USB board."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip(
        "the simulated board rests on how Linux's pseudo terminals tell that they were closed",
        allow_module_level=True,
    )

from tests.doubles.desk import BOSSAC, HASTY, HERE, QUICK, Desk
from tests.doubles.fake_usb_board import SERIAL_NUMBER, FakeUsbBoard, Faults
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.flash.bootloader import Timing
from tinyml_cli.link.port_errors import port_users
from tinyml_cli.run import MODEL_INT8, Run


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
            [sys.executable, "-m", "tests.doubles.fake_usb_cli", str(setup), *arguments],
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
    desk.program.write_bytes(Path(build(firmware_run, build_target("native", "aot")).elf).read_bytes())
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
        (Faults(deaf_touches=99), HASTY, lambda board: board.touches == 2, "old program intact"),
        (Faults(stalls=True), QUICK, lambda board: board.flash == b"", "no complete program"),
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
        assert process.returncode == 130
        assert "Stopped by Ctrl-C" in json.loads(out)["error"]["what"]
        assert state in err and "Traceback" not in err
        assert port_users(board.device) == []
    assert sorted(path.name for path in desk.run.path.iterdir()) == sorted({*before, "firmware"})


def test_a_virtual_board_is_flashed_as_before(firmware_run: Run, tinyml: Callable[..., Any]) -> None:
    answer = tinyml("flash", firmware_run.path, "--board", "native", "--json", cwd=firmware_run.path).json
    assert answer["banner"]["board"] == "native" and "port" not in answer
    refused = ("flash", firmware_run.path, "--board", "native", "--port", "COM5", "--json")
    assert tinyml(*refused, cwd=firmware_run.path, code=2).json["error"]["where"] == "--port"
