"""The doctor: what it finds on this computer, and what a board says of itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli.doctor.board import camera
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
    monkeypatch.setenv("HOME", str(run.parent))
    checks = checks_of_board(tinyml, run, "--port", reference_device(), "--report", "board.json")
    document = json.loads((run / "board.json").read_text())
    found = {check["name"]: check for check in document["checks"]}
    assert {name: found[name]["found"] for name in checks} == {n: c["found"] for n, c in checks.items()}
    assert document["run"]["model_sha256"] == "0" * 64 and document["board"] == "nano33ble"
    assert str(run.parent) not in (run / "board.json").read_text()


def test_a_report_needs_a_board_and_a_new_file(tinyml: Tinyml, run: Path) -> None:
    assert "--board" in tinyml("doctor", run, "--report", "a.json", cwd=run, code=2).err
    (run / "old.json").write_text("mine")
    arguments = ("doctor", run, "--board", "nano33ble", "--report", "old.json")
    assert "already exists" in tinyml(*arguments, cwd=run, code=2).err
    assert (run / "old.json").read_text() == "mine" and not (run / "a.json").exists()
