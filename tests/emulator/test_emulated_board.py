"""A modelled board in the place of a real one: its process, its port, and the steps of `tinyml flash`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import serial
import soundfile
from elftools.elf.elffile import ELFFile

if sys.platform == "win32":
    pytest.skip("needs pseudo terminals", allow_module_level=True)

from tests.conftest import Tinyml
from tests.doubles.desk import MODEL, QUICK
from tests.doubles.reference_device import LABELS
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.emulated import FLASH
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import build_target
from tinyml_cli.emulator.board import EmulatedBoard
from tinyml_cli.emulator.memory import APPLICATION, FLASH_BYTES, ProgramError, read_program
from tinyml_cli.emulator.recordings import Surroundings
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash import flash as flash_module
from tinyml_cli.flash.upload_tool import UploadTool
from tinyml_cli.link.ports import serial_ports
from tinyml_cli.link.usb import find_boards
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.run import MODEL_INT8, Run

Program = Callable[[str], Path]
SAMBA = UploadTool((sys.executable, "-S", str(Path(__file__).parent.parent / "doubles" / "samba.py")))
BOARD = load_board("nano33ble")


def _run(path: Path) -> Run:
    """A run of the model that `ready.c` says it runs."""
    run = Run(path)
    run.path.mkdir()
    manifest = Manifest(task="kws", seed=1, labels=LABELS)
    manifest.artifacts[MODEL_INT8] = Artifact(sha256=MODEL + "0" * 52, bytes=1, made_by="test")
    run.save(manifest)
    return run


def test_its_port_is_the_only_one_and_goes_with_it(program: Program) -> None:
    with EmulatedBoard(BOARD, elf=program("echo"), is_paced=False) as board:
        (port,) = serial_ports()
        assert [found.role for found in find_boards(BOARD)] == ["sketch"]
        with serial.Serial(port.device, timeout=10.0) as opened:
            opened.write(b"x" * 200)
            assert opened.read(200) == b"x" * 200
        assert board.state().resets == 0
    assert port not in serial_ports()


def test_a_program_that_faults_ends_it_with_the_reason(program: Program) -> None:
    with pytest.raises(TinymlError, match="hard fault at 0x"), EmulatedBoard(BOARD, elf=program("faults")):
        pass


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x7fELF" + bytes(100), "EI_CLASS|ELF"),
        (Path(sys.executable).read_bytes()[:100_000], "ELF|processor|stream"),
    ],
    ids=["cut", "of this computer"],
)
def test_what_is_no_program_for_the_board_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(content)
    with pytest.raises(ProgramError, match=reason):
        read_program(elf)


def test_a_program_for_another_board_is_refused(program: Program, tmp_path: Path) -> None:
    other = bytearray(program("echo").read_bytes())
    with program("echo").open("rb") as stream:
        header = ELFFile(stream)["e_phoff"]
    other[header + 12 : header + 16] = (0).to_bytes(4, "little")  # p_paddr of the first segment
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(other)
    with pytest.raises(ProgramError, match="not linked for this board"):
        read_program(elf)


@pytest.mark.parametrize("name", ["sim", "native"])
def test_other_boards_are_not_modelled(name: str) -> None:
    with pytest.raises(TinymlError, match="virtual anyway"):
        build_target(name, emulated=Surroundings())


@pytest.mark.parametrize("before", ["a program", pytest.param("half an upload", marks=pytest.mark.slow)])
def test_flash_touches_uploads_and_meets_the_new_program(
    before: str, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(tmp_path / "run")
    project = project_dir(run, "nano33ble", "kws")
    project.mkdir(parents=True)
    # What it ran before: a program that only echoes.
    old = bytearray(b"\xff" * FLASH_BYTES)
    for start, data in read_program(program("echo")):
        old[start : start + len(data)] = data
    if before == "half an upload":  # its command was killed
        old[APPLICATION + 512 :] = b"\xff" * (FLASH_BYTES - APPLICATION - 512)
    (project / FLASH).write_bytes(old)
    elf = project / "firmware.elf"
    elf.write_bytes(program("ready").read_bytes())
    image = elf.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, image], check=True)
    built = Built(
        board="nano33ble",
        engine="aot",
        app="kws",
        flash_bytes=None,
        ram_bytes=None,
        arena_bytes=0,
        largest_symbols=[],
        elf=str(elf),
        seconds=0.0,
        fresh=False,
    )
    monkeypatch.setattr(flash_module, "build", lambda *_: built)

    target = build_target("nano33ble", emulated=Surroundings())
    outcome = flash_module.flash(run, target, tool=SAMBA, timing=QUICK)

    assert outcome.modelled and outcome.model == MODEL and outcome.banner["board"] == "nano33ble"
    assert bool(outcome.bootloader_seconds) == (before == "a program") and outcome.upload_seconds
    kept = (project / FLASH).read_bytes()
    assert kept[APPLICATION:].startswith(image.read_bytes())
    assert set(kept[APPLICATION + len(image.read_bytes()) :]) == {0xFF}


@pytest.mark.slow
def test_monitor_meets_the_firmware_and_ends_with_the_recording(
    program: Program, tmp_path: Path, tinyml: Tinyml
) -> None:
    run = _run(tmp_path / "run")
    project = project_dir(run, "nano33ble", "kws")
    project.mkdir(parents=True)
    (project / "firmware.elf").write_bytes(program("ready").read_bytes())
    sound = tmp_path / "silence.wav"
    soundfile.write(sound, np.zeros(1600, np.int16), 16_000)
    options = ("--board", "nano33ble", "--emulated", "--sound", sound, "--json")
    said = tinyml("monitor", run.path, *options, cwd=tmp_path).out.splitlines()
    assert [json.loads(line)["event"] for line in said] == ["ready", "summary"]


def test_what_is_played_has_to_be_there_and_needs_the_model(tmp_path: Path, tinyml: Tinyml) -> None:
    cases: list[tuple[list[str], str]] = [
        (["--emulated", "--sound", "none.wav"], "--sound"),
        (["--motion", __file__], "--motion"),
        (["--emulated", "--port", "/dev/ttyACM0"], "--port"),
        (["--emulated", "--sound", __file__], __file__),
        (["--emulated", "--motion", __file__], __file__),
    ]
    for number, (options, where) in enumerate(cases):
        run = _run(tmp_path / f"run{number}")
        elf = project_dir(run, "nano33ble", "kws") / "firmware.elf"
        elf.parent.mkdir(parents=True)
        elf.touch()
        answer = tinyml("monitor", run.path, "--board", "nano33ble", *options, "--json", cwd=tmp_path, code=2)
        assert answer.json["error"]["where"] in (where, "none.wav"), answer.json


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        ("evaluate", ["--emulated"], "No board is named"),
        ("evaluate", ["--emulated", "--on", "sim"], "virtual anyway"),
        ("doctor", ["--emulated"], "No board is named"),
        ("doctor", ["--emulated", "--board", "native"], "virtual anyway"),
        ("doctor", ["--emulated", "--board", "nano33ble", "--port", "COM3"], "a port of its own"),
    ],
)
def test_a_model_of_nothing_is_refused(
    command: str, options: list[str], says: str, tmp_path: Path, tinyml: Tinyml
) -> None:
    answer = tinyml(command, _run(tmp_path / "run").path, *options, "--json", cwd=tmp_path, code=2)
    assert says in answer.json["error"]["what"]


@pytest.mark.slow
def test_the_doctor_examines_a_modelled_board_and_says_so(
    program: Program, tmp_path: Path, tinyml: Tinyml
) -> None:
    run = _run(tmp_path / "run")
    elf = project_dir(run, "nano33ble", "kws") / "firmware.elf"
    elf.parent.mkdir(parents=True)
    elf.write_bytes(program("ready").read_bytes())
    options = ("--board", "nano33ble", "--emulated", "--report", tmp_path / "board.json")
    tinyml("doctor", run.path, *options, cwd=tmp_path)
    told = json.loads((tmp_path / "board.json").read_text())
    assert told["modelled"] is True
    found = {check["name"]: check["found"] for check in told["checks"] if "nano33ble" in check["purpose"]}
    assert (
        found["board"].startswith("a model of it answers on ") and found["IMU"] == "lsm9ds1, 1.00 g at rest"
    )


@pytest.mark.slow
def test_what_flash_holds_outlives_the_session(program: Program, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    answers = []
    for elf in (program("probe"), None):
        with EmulatedBoard(BOARD, elf=elf, flash=flash, is_paced=False):
            (port,) = serial_ports()
            with serial.Serial(port.device, timeout=10.0) as opened:
                opened.write(b"f\n")
                answers.append(opened.read_until(b"\n").split()[0])
                time.sleep(0.05)
    assert answers == [b"-1", b"1"]


@pytest.mark.slow
def test_a_program_that_is_there_already_keeps_what_it_wrote(program: Program, tmp_path: Path) -> None:
    flash, page = tmp_path / "flash.bin", FLASH_BYTES - 3 * 4096
    for name, kept in (("echo", False), ("echo", True), ("probe", False)):
        if flash.is_file():
            content = bytearray(flash.read_bytes())
            content[page : page + 4] = b"word"
            flash.write_bytes(content)
        with EmulatedBoard(BOARD, elf=program(name), flash=flash, is_paced=False):
            pass
        assert (flash.read_bytes()[page : page + 4] == b"word") == kept
