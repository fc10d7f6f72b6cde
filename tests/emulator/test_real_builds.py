"""The real firmware of the Nano 33 BLE Sense, built with Arduino's core, on the modelled board.

Where PlatformIO's packages for the board are installed, or laid out by hand (`platformio_home.py`), the
programs are built here, and kept in TINYML_NANO33BLE_BUILDS=<folder> if that is given. Otherwise they come
from that folder, as APP-BOARD-ENGINE.elf.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial

from tests.conftest import Tinyml
from tests.emulator import desk, platformio_home, real_stack
from tests.engines.retrained import retrained
from tests.firmware import random_listener
from tests.firmware.fed_applications import APPLICATIONS, RELEASE, Runs, play_lesson, signing_key
from tests.teaching.sounds import take_files
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import budget, slots
from tinyml_cli.build.inputs import model_graph
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import BuildTarget, peripherals
from tinyml_cli.emulator.board import EmulatedBoard
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Features
from tinyml_cli.link.usb import choose_port
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.teaching import lesson, takes
from tinyml_cli.tflite import interpret
from tinyml_cli.updates import image
from tinyml_cli.updates.delivery import deliver

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]

_BUILDS = "TINYML_NANO33BLE_BUILDS"
_SENSOR = {"nano33ble": "lsm9ds1", "nano33ble_rev2": "bmi270"}
_ALL = [
    pytest.param(name, board, engine, id=f"{name}-{board}-{engine}")
    for engine in ("aot", "tflm")
    for board in _SENSOR
    for name, application in APPLICATIONS.items()
    if engine in application.engines
]


def firmware(
    name: str, board: str, engine: str, runs: Callable[[], Runs], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The ELF file of an application; skips where there is no way to it."""
    desk.require()
    elf = Path(os.environ.get(_BUILDS, "")) / f"{name}-{board}-{engine}.elf"
    if platformio_home.is_installed(monkeypatch):
        made = runs()
        built = APPLICATIONS[name].build(made, board, engine)
        _check_estimate(APPLICATIONS[name].target(made, board, engine), made, built)
        parts = "; ".join(f"{part.part} {part.flash_bytes:,} {part.ram_bytes:,}" for part in built.parts)
        taken = f"{built.flash_bytes:,} B of flash, {built.ram_bytes:,} B of RAM"
        print(f"\n{name}, {board}, {engine}: {taken}; {parts} (B of flash, of RAM)")
        if os.environ.get(_BUILDS):
            shutil.copyfile(built.elf, elf)
        return Path(built.elf)
    if not os.environ.get(_BUILDS) or not elf.is_file():
        where = f"{platformio_home.VARIABLE} and {_BUILDS} do not help"
        pytest.skip(f"PlatformIO's packages for {board} are not installed, and {where}")
    return elf


def _check_estimate(target: BuildTarget, runs: Runs, built: Built) -> None:
    """A board that is exactly as large as the program must not be refused before the build."""
    drives = peripherals(built.app)
    arduino = target.board.arduino
    assert arduino is not None and built.flash_bytes and built.ram_bytes
    exact = target.board.model_copy(update={"flash_bytes": built.flash_bytes, "ram_bytes": built.ram_bytes})
    graphs = [graph for run in runs if run and (graph := model_graph(run))]
    budget.check_estimate(exact, graphs, built.arena_bytes, drives, arduino.stack_bytes(drives))


@contextmanager
def plugged_in(board: str, elf: Path | None, flash: Path) -> Iterator[Link]:
    """A connection to a modelled board that is ready."""
    with (
        EmulatedBoard(load_board(board), elf=elf, flash=flash),
        Link(choose_port(load_board(board)).device, timeout_s=120.0) as link,
    ):
        link.wait_ready(60.0)
        yield link


@pytest.mark.parametrize(("name", "board", "engine"), _ALL)
def test_the_firmware_boots_senses_and_shines(
    name: str,
    board: str,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    application = APPLICATIONS[name]
    elf = firmware(name, board, engine, lambda: application.make(tmp_path, request), monkeypatch)
    with EmulatedBoard(load_board(board), elf=elf) as emulated:
        port = choose_port(load_board(board))
        with Link(port.device, timeout_s=60.0) as link:
            ready = link.wait_ready(60.0)
            assert (ready.app, ready.board, ready.engine) == (application.app, board, engine)
            assert set(ready.sensors) >= {"microphone", _SENSOR[board]}
            link.led(255, 0, 128)  # `hello` shows it for a second
            purple = pytest.approx((255, 0, 128), abs=2)
            assert emulated.wait_for(lambda state: state.light == purple, 60.0)
            measured = link.sensors()
            axes = (measured.ax_mg, measured.ay_mg, measured.az_mg)
            assert measured.imu == _SENSOR[board] and axes == pytest.approx((0, 0, 1000), abs=2)
            link.write_input(np.zeros(ready.input_bytes, np.int8))
            assert len(link.run_inference().data) == ready.output_bytes
        with serial.Serial(port.device, baudrate=1200):
            pass
        emulated.wait_for(lambda state: state.resets == 1 and bool(state.ports), 60.0)
        assert choose_port(load_board(board)).role == "bootloader"


@pytest.mark.parametrize(("name", "board", "engine"), _ALL)
def test_the_stack_is_as_large_as_is_said(
    name: str,
    board: str,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    application = APPLICATIONS[name]
    elf = firmware(name, board, engine, lambda: application.make(tmp_path, request), monkeypatch)
    stack = real_stack.measure(elf, _SENSOR[board], application.feed)
    print(f"\n{name}, {board}, {engine}: {stack}")
    assert 1000 < stack.used_bytes <= application.most_stack_bytes


def test_nothing_of_what_the_microphone_heard_is_in_what_the_host_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    runs = APPLICATIONS["kws"].make(tmp_path, request)
    elf = firmware("kws", "nano33ble", "aot", lambda: runs, monkeypatch)
    settings = runs[0].manifest().features
    assert settings is not None
    sent = random_listener.sounds(1, 3)
    board = desk.desk(elf)
    with real_stack.connected(board) as link:
        link.wait_ready(300.0)
        link.trace("features")
        link.reset()
        board.run(0.25)
        link.take_events()
        for piece in np.split(sent, 25):
            link.feed_pcm(piece)
        frames = [event.data for event in link.take_events() if isinstance(event, Features)]
    expected = extract(sent, settings)
    assert b"".join(frames[-len(expected) :]) == expected.astype("<u2").tobytes()


@pytest.mark.parametrize("engine", ["aot", "tflm"])
@pytest.mark.parametrize("board", sorted(_SENSOR))
def test_words_learned_outlive_a_reset(
    board: str,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Taught over the serial port; kept in the flash of the model, forgotten there."""
    make = APPLICATIONS["learner"].make
    elf = firmware("learner", board, engine, lambda: make(tmp_path, request), monkeypatch)
    flash = tmp_path / "flash.bin"

    def known(change: Callable[[Link], object] = lambda _: None) -> dict[str, tuple[bool, bytes, bytes, int]]:
        with plugged_in(board, elf, flash) as link:
            change(link)
            words = link.words()
        return {each.word: (each.built_in, each.prototype, each.weights, each.bias) for each in words}

    heard = takes.read(take_files(tmp_path)["banana"][:3])
    taught = known(lambda link: play_lesson(link, "banana", [take.clip for take in heard]))
    assert list(taught) == ["lumos", "banana"]
    row = lesson.learn("banana", heard)
    assert taught["banana"] == (False, row.prototype.tobytes(), row.weights.tobytes(), row.bias)
    assert known() == taught
    assert list(known(lambda link: link.forget("banana"))) == ["lumos"]
    assert list(known()) == ["lumos"]


@pytest.mark.parametrize("board", sorted(_SENSOR))
def test_the_model_is_replaced_in_a_slot(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    runs = APPLICATIONS["kws_slots"].make(tmp_path, request)
    elf = firmware("kws_slots", board, "aot", lambda: runs, monkeypatch)
    second = Run(Path(shutil.copytree(runs[0].path, tmp_path / "second")))
    second.file(MODEL_INT8).write_bytes(retrained(runs[0].file(MODEL_INT8).read_bytes(), seed=4))
    second.record(manifest := second.manifest(), MODEL_INT8, made_by="tinyml convert")
    second.save(manifest)
    update = image.make(slots.lifted(second), RELEASE + 1, signing_key())
    with plugged_in(board, elf, tmp_path / "flash.bin") as link:
        assert (link.slots().release, link.slots().running) == (RELEASE, "built-in")
        deliver(link, update, board)
    with plugged_in(board, None, tmp_path / "flash.bin") as link:
        assert (link.slots().release, link.slots().running) == (RELEASE + 1, "a")
        values = np.random.default_rng(1).integers(-128, 128, (1, 49, 10, 1), np.int8)
        link.write_input(values[0])
        expected = interpret.run_int8(
            second.file(MODEL_INT8).read_bytes(), values, interpret.reference_runtime()
        )
        assert link.run_inference().data == expected.tobytes()


def test_a_word_is_heard_through_the_microphone(
    corpus: Path,
    tmp_path: Path,
    tinyml: Tinyml,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    runs = APPLICATIONS["kws"].make(tmp_path, request)
    elf = firmware("kws", "nano33ble", "aot", lambda: runs, monkeypatch)
    project = project_dir(runs[0], "nano33ble", "kws")
    project.mkdir(parents=True, exist_ok=True)
    (project / "firmware.elf").write_bytes(elf.read_bytes())
    sound = sorted((corpus / "up").glob("*.wav"))[0]
    options = ("--board", "nano33ble", "--emulated", "--sound", sound, "--json")
    said = tinyml("monitor", runs[0].path, *options, cwd=tmp_path).out.splitlines()
    events = [json.loads(line) for line in said]
    assert [event["label"] for event in events if event["event"] == "detection"] == ["up"]
