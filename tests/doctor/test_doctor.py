"""The doctor: what it finds on this computer, and what a board says of itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli import processes
from tinyml_cli.doctor import packages
from tinyml_cli.doctor.board import camera
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.port_errors import serial_access, udev_rule
from tinyml_cli.link.protocol import Ready
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.run import MODEL_INT8, Run

Device = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = Run.create(tmp_path / "run")
    manifest = Manifest(task="kws", seed=1, labels=["silence", "unknown", "yes", "no"])
    manifest.artifacts[MODEL_INT8] = Artifact(sha256="0" * 64, bytes=1, made_by="test")
    run.save(manifest)
    return run.path


def checks_of_board(tinyml: Tinyml, run: Path, *options: str) -> dict[str, dict[str, str]]:
    answer = tinyml("doctor", run, "--board", "nano33ble", *options, "--json", cwd=run, code=None)
    return {check["name"]: check for check in answer.json["checks"] if check["purpose"] == "board nano33ble"}


def test_a_healthy_board(tinyml: Tinyml, run: Path, reference_device: Device) -> None:
    checks = checks_of_board(tinyml, run, "--port", reference_device())
    assert list(checks) == ["board", "firmware", "microphone", "IMU", "LED"]
    assert all(check["found"] for check in checks.values())
    assert "model 0123456789ab" in checks["firmware"]["found"]
    assert checks["microphone"]["found"] == "level -55 dBFS"
    assert checks["IMU"]["found"] == "lsm9ds1, 1.01 g at rest"
    assert "red, green, blue" in checks["LED"]["found"]


def test_a_deaf_and_tilted_board(tinyml: Tinyml, run: Path, reference_device: Device) -> None:
    checks = checks_of_board(tinyml, run, "--port", reference_device("--fault", "deaf", "--fault", "tilted"))
    assert checks["microphone"]["found"] == "" and "No sound" in checks["microphone"]["remedy"]
    assert checks["IMU"]["found"] == "" and "0.50 g at rest instead of 1 g" in checks["IMU"]["remedy"]


def test_a_board_that_is_not_there(tinyml: Tinyml, run: Path) -> None:
    answer = tinyml("doctor", run, "--board", "nano33ble", "--json", cwd=run, code=1)
    board = answer.json["checks"][-1]
    assert (board["name"], board["found"]) == ("board", "")
    assert board["remedy"]


def test_a_virtual_board_without_firmware(tinyml: Tinyml, run: Path) -> None:
    answer = tinyml("doctor", run, "--board", "native", "--json", cwd=run, code=1)
    assert "--board native" in answer.json["checks"][-1]["remedy"]


def test_people_read_a_verdict_for_each(tinyml: Tinyml, run: Path, reference_device: Device) -> None:
    answer = tinyml("doctor", run, "--board", "nano33ble", "--port", reference_device(), cwd=run, code=None)
    assert [line for line in answer.out.splitlines() if "LED" in line and "OK" in line]


def test_rules_for_serial_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("udev is Linux's")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("tinyml_cli.link.port_errors._own_groups", lambda: {"users"})
    assert serial_access([str(tmp_path)]) == ""
    (tmp_path / "50-other.rules").write_text('# ATTRS{idVendor}=="2341", MODE="0666"\n')
    assert serial_access([str(tmp_path)]) == ""
    (tmp_path / "60-tinyml.rules").write_text(udev_rule() + "\n")
    assert serial_access([str(tmp_path)]) == f"rule {tmp_path / '60-tinyml.rules'}"
    monkeypatch.setattr("tinyml_cli.link.port_errors._own_groups", lambda: {"users", "dialout"})
    assert serial_access([]) == "group dialout"


@pytest.mark.parametrize(
    ("sensors", "found"), [(["microphone", "ov7675"], "ov7675 answers"), (["microphone"], "")]
)
def test_the_camera_is_told_by_the_banner_of_firmware_that_looks(sensors: list[str], found: str) -> None:
    ready = Ready(
        protocol=1, tinyml="0", app="vww", board="nano33ble", engine="aot", model="0" * 12, sensors=sensors
    )
    finding = camera(ready, "board nano33ble")
    assert finding.found == found
    assert "shield" in finding.remedy


def test_a_report_holds_what_is_found_and_no_home(
    tinyml: Tinyml, run: Path, reference_device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: run.parent)
    log = run / "firmware" / "nano33ble" / "build.log"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"{line} {run}\n" for line in range(50)))
    opened = Run(run)
    manifest = opened.manifest()
    manifest.firmware["nano33ble"] = {"engine": "aot", "flash_bytes": 1}
    opened.save(manifest)
    checks = checks_of_board(tinyml, run, "--port", reference_device(), "--report", "board.json")
    document = json.loads((run / "board.json").read_text())
    found = {check["name"]: check for check in document["checks"]}
    assert {name: found[name]["found"] for name in checks} == {n: c["found"] for n, c in checks.items()}
    assert document["run"]["model_sha256"] == "0" * 64 and document["board"] == "nano33ble"
    assert document["engine"] == "aot"  # of the firmware that was built, not the board's default
    assert len(document["build_log"]) == 40 and document["build_log"][-1] == "49 ~/run"
    assert str(run.parent) not in (run / "board.json").read_text()


def test_a_report_needs_a_board_and_a_new_file(tinyml: Tinyml, run: Path) -> None:
    assert "--board" in tinyml("doctor", run, "--report", "a.json", cwd=run, code=2).err
    (run / "old.json").write_text("mine")
    arguments = ("doctor", run, "--board", "nano33ble", "--report", "old.json")
    assert "already exists" in tinyml(*arguments, cwd=run, code=2).err
    assert (run / "old.json").read_text() == "mine" and not (run / "a.json").exists()


@dataclass
class Computer:
    """One with these programs, for which commands are only written down."""

    ran: list[str]
    fails: bool = False

    def run(self, command: Sequence[str], **options: object) -> processes.CompletedProcess[str]:
        self.ran.append(" ".join(command))
        return processes.CompletedProcess(list(command), int(self.fails), "", "no space left\n" * self.fails)


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Computer]:
    def make(system: str, *programs: str, user: int = 1000, fails: bool = False) -> Computer:
        made = Computer([], fails)
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
        monkeypatch.setattr(
            packages.shutil, "which", lambda name: f"/bin/{name}" if name in programs else None
        )
        monkeypatch.setattr(packages.processes, "run", made.run)
        return made

    return make


WANTED = ["g++", "arm-none-eabi-gcc", "newlib", "qemu-system-arm"]
PIP = f"{sys.executable} -m pip install ziglang"


@pytest.mark.parametrize(
    ("system", "programs", "user", "ran", "left"),
    [
        ("linux", ("apt-get",), 0, ["apt-get install", "gcc-arm-none-eabi"], []),
        ("linux", ("apt-get",), 1000, [PIP], ["sudo apt-get install g++ gcc-arm-none-eabi"]),
        ("linux", ("dnf",), 1000, [PIP], ["sudo dnf install gcc-c++ arm-none-eabi-gcc-cs"]),
        ("linux", ("pacman",), 0, ["pacman --sync", "arm-none-eabi-newlib"], []),
        ("darwin", ("brew",), 501, ["brew install --cask gcc-arm-embedded", "brew install qemu", PIP], []),
        ("darwin", (), 501, [PIP], ["install Homebrew"]),
        ("win32", ("winget",), 0, ["Arm.GnuArmEmbeddedToolchain", "QEMU", PIP], ["open a new terminal"]),
        ("win32", (), 0, [PIP], ["winget install Arm.GnuArmEmbeddedToolchain"]),
    ],
)
def test_each_system_installs_what_it_may_and_names_the_rest(
    system: str, programs: tuple[str, ...], user: int, ran: list[str], left: list[str],
    computer: Callable[..., Computer],
) -> None:  # fmt: skip
    made = computer(system, *programs, user=user)
    said = packages.install(WANTED)
    for part in ran:
        assert [line for line in made.ran if part in line], part
    assert len(said) == len(left) and all(part in line for part, line in zip(left, said, strict=True))
    may = bool(programs) and (system != "linux" or user == 0)
    assert bool([line for line in made.ran if PIP in line]) == (not may or system != "linux")
    assert not [line for line in made.ran if "sudo" in line]
    for program in WANTED:
        assert packages.way(program)


@pytest.mark.parametrize(
    ("system", "programs", "said"),
    [
        ("linux", ("apt-get",), "sudo apt-get install gcc python3-dev"),
        ("linux", ("dnf",), "sudo dnf install gcc python3-devel"),
        ("linux", ("pacman",), "sudo pacman --sync gcc"),
        ("darwin", (), "xcode-select --install"),
        ("win32", (), "winget install Microsoft.VisualStudio.2022.BuildTools"),
    ],
)
def test_each_system_names_the_compiler_of_the_front_end(
    system: str, programs: tuple[str, ...], said: str, computer: Callable[..., Computer]
) -> None:
    computer(system, *programs)
    assert packages.way_to_extensions().startswith(said)


def test_a_failed_installation_says_which_and_why(computer: Callable[..., Computer]) -> None:
    computer("darwin", "brew", fails=True)
    with pytest.raises(TinymlError, match="no space left") as caught:
        packages.install(["qemu-system-arm"])
    assert caught.value.where == "brew install qemu"


def test_fix_tells_what_is_left_and_then_looks(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyml_cli.doctor.computer.packages.install", lambda programs: ["sudo me"])
    monkeypatch.setattr("tinyml_cli.doctor.computer.find_tool", lambda: Path("bossac"))
    answer = tinyml("doctor", "--fix", cwd=tmp_path, code=None)
    assert "left for you: sudo me" in answer.err and "QEMU" in answer.out
