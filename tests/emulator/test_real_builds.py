"""The real firmware of the Nano 33 BLE Sense, built with Arduino's core, on the modelled board.

Where PlatformIO's packages for the board are installed, or laid out by hand (`platformio_home.py`), the
programs are built here, and kept in TINYML_NANO33BLE_BUILDS=<folder> if that is given. Otherwise they come
from that folder, as APP-BOARD-ENGINE.elf.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import serial

from tests.build.test_browser import heard, lit, seen, waved
from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run
from tests.emulator import desk, platformio_home, real_stack
from tests.firmware import random_listener
from tests.firmware.test_stack import MOST_BYTES
from tests.tasks.anomaly import runs as anomaly_runs
from tests.tasks.wand import waved_run
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.sizes import measure
from tinyml_cli.build.target import build_target
from tinyml_cli.emulator.board import EmulatedBoard
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.link.link import Link
from tinyml_cli.link.usb import choose_port
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import Run

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]

_BUILDS = "TINYML_NANO33BLE_BUILDS"
_SENSOR = {"nano33ble": "lsm9ds1", "nano33ble_rev2": "bmi270"}
Runs = Callable[[], tuple[Run, Run | None]]


def _cascade(folder: Path) -> tuple[Run, Run]:
    listens = random_listener.make(folder / "ear", ["red", "green"], 5, RecognizerSettings())
    looks = looking_run.make(folder / "eye")
    manifest = looks.manifest()
    manifest.gate = GateRule(when="red", hold_ms=1000)
    looks.save(manifest)
    return listens, looks


def _two_listeners(folder: Path) -> tuple[Run, Run]:
    words = [["red", "green"], ["up", "red"]]
    first, second = (random_listener.make(folder / each[0], each, 5, RecognizerSettings()) for each in words)
    return first, second


_MODELS: dict[str, Callable[[Path], tuple[Run, Run | None]]] = {
    "hello": lambda folder: (sine_run.make(folder), None),
    "vww": lambda folder: (looking_run.make(folder), None),
    "wand": lambda folder: (
        waved_run.make(folder, waved_run.line_model(), GestureInput(threshold=0.9)),
        None,
    ),
    "anomaly": lambda folder: (anomaly_runs.train(folder, training__epochs=2), None),
    "cascade": _cascade,
    "multi_tenant": _two_listeners,
}

_WORK: dict[str, Callable[[Link], None]] = {
    "kws": heard,
    "hello": lit,
    "vww": seen,
    "wand": waved,
    "anomaly": waved,
    "cascade": lambda link: (heard(link), seen(link))[0],
    "multi_tenant": heard,
}


def firmware(app: str, board: str, engine: str, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ELF file of an application; skips where there is no way to it."""
    desk.require()
    if platformio_home.is_installed(monkeypatch):
        first, second = runs()
        target = build_target(board, engine, app=app if second else None, second=second)
        elf = Path(build(first, target).elf)
        if kept := os.environ.get(_BUILDS):
            shutil.copyfile(elf, Path(kept) / f"{app}-{board}-{engine}.elf")
        return elf
    elf = Path(os.environ.get(_BUILDS, "")) / f"{app}-{board}-{engine}.elf"
    if not os.environ.get(_BUILDS) or not elf.is_file():
        where = f"{platformio_home.VARIABLE} and {_BUILDS} do not help"
        pytest.skip(f"PlatformIO's packages for {board} are not installed, and {where}")
    return elf


@pytest.mark.parametrize("engine", ["aot", "tflm"])
@pytest.mark.parametrize("board", sorted(_SENSOR))
@pytest.mark.parametrize("app", ["kws", *_MODELS])
def test_the_firmware_boots_senses_and_shines(
    app: str,
    board: str,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    def runs() -> tuple[Run, Run | None]:
        if app == "kws":
            return request.getfixturevalue("firmware_run"), None
        return _MODELS[app](tmp_path / "run")

    elf = firmware(app, board, engine, runs, monkeypatch)
    with EmulatedBoard(load_board(board), elf=elf) as emulated:
        port = choose_port(load_board(board))
        with Link(port.device, timeout_s=60.0) as link:
            ready = link.wait_ready(60.0)
            assert (ready.app, ready.board, ready.engine) == (app, board, engine)
            assert set(ready.sensors) >= {"microphone", _SENSOR[board]}
            link.led(255, 0, 128)  # `hello` shows it for a second
            purple = pytest.approx((255, 0, 128), abs=2)
            assert emulated.wait_for(lambda state: state.light == purple, 5.0)
            measured = link.sensors()
            axes = (measured.ax_mg, measured.ay_mg, measured.az_mg)
            assert measured.imu == _SENSOR[board] and axes == pytest.approx((0, 0, 1000), abs=2)
            link.write_input(np.zeros(ready.input_bytes, np.int8))
            assert len(link.run_inference().data) == ready.output_bytes
        with serial.Serial(port.device, baudrate=1200):
            pass
        emulated.wait_for(lambda state: state.resets == 1 and bool(state.ports), 60.0)
        assert choose_port(load_board(board)).role == "bootloader"
    stack = real_stack.measure(elf, _SENSOR[board], _WORK[app])
    sizes = measure(elf)
    print(
        f"\n{app}, {board}, {engine}: {sizes.flash_bytes:,} B of flash, {sizes.ram_bytes:,} B of RAM, {stack}"
    )
    assert 1000 < stack.used_bytes <= MOST_BYTES


def test_a_word_is_heard_through_the_microphone(
    whistle_run: Path, corpus: Path, tmp_path: Path, tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(Path(shutil.copytree(whistle_run, tmp_path / "run")))
    elf = firmware("whistles", "nano33ble", "aot", lambda: (run, None), monkeypatch)
    project = project_dir(run, "nano33ble", "kws")
    project.mkdir(parents=True, exist_ok=True)
    (project / "firmware.elf").write_bytes(elf.read_bytes())
    sound = sorted((corpus / "up").glob("*.wav"))[0]
    options = ("--board", "nano33ble", "--emulated", "--sound", sound, "--json")
    said = tinyml("monitor", run.path, *options, cwd=tmp_path).out.splitlines()
    events = [json.loads(line) for line in said]
    assert [event["label"] for event in events if event["event"] == "detection"] == ["up"]
