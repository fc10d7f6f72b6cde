"""The command profile on the virtual board, through the real command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tests.engines import zoo
from tests.profile.programs import require, require_counting
from tinyml_cli.link.virtual import VirtualDevice

COUNTER_STEP = 40  # the firmware's own counter is a timer of one tick in forty instructions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("arm-none-eabi-gcc")
    require_counting()
    folder = tmp_path_factory.mktemp("profiled")
    (folder / "net.tflite").write_bytes(zoo.model("ds_cnn"))
    return folder


@pytest.fixture(scope="module")
def report(tinyml: Tinyml, folder: Path) -> Any:
    return tinyml("profile", "net.tflite", "--json", cwd=folder).json


def test_counts_agree_with_the_firmwares_own(report: Any) -> None:
    # Two readings of the timer, each off by less than a step, and the calls that read it.
    assert abs(report["instructions"] - report["instructions_by_firmware"]) <= 4 * COUNTER_STEP
    assert report["instructions"] > report["macs"] / 2


def test_operators_add_up_to_the_whole(report: Any) -> None:
    rows, outside = report["operators"], report["outside"]
    for figure in ("instructions", "cycles", "cycles_with_flash"):
        assert sum(row[figure] for row in rows) + outside[figure] == report[figure]
    assert outside["instructions"] < 500
    for row in rows:
        assert sum(row["components"].values()) == row["cycles"]
        waits = 2 * row["flash_reads"] + 3 * row["cache_misses"]
        assert row["cycles_with_flash"] == row["cycles"] + waits
    low, high = report["cycles_range"]
    assert low < report["cycles"] < report["cycles_with_flash"] < high
    busiest = max(rows, key=lambda row: row["cycles"])
    assert busiest["name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")
    assert all(row["cycles"] > 0 for row in rows if row["macs"])


def test_estimates_follow_the_chip(report: Any) -> None:
    assert report["clock_hz"] == 64_000_000
    assert report["time_ms"] == pytest.approx(report["cycles"] / 64_000, rel=1e-6)
    assert report["energy_uj"] == pytest.approx(report["time_ms"] * 3.3 * 3.0, rel=1e-3)
    assert report["evidence"]["instructions"] == "emulated"
    assert report["evidence"]["time_ms"] == report["evidence"]["energy_uj"] == "estimated"


def test_memory_of_the_linked_program(report: Any) -> None:
    memory = report["memory"]
    assert memory["code_bytes"] + memory["model_bytes"] == memory["flash_bytes"]
    assert 0 < memory["model_bytes"] < memory["code_bytes"]
    assert memory["arena_bytes"] < memory["ram_bytes"]
    assert 100 < memory["stack_inference_bytes"] <= memory["stack_bytes"] < memory["stack_reserved_bytes"]


def test_it_repeats_exactly_and_judges_a_budget(tinyml: Tinyml, folder: Path, report: Any) -> None:
    picture = folder / report["picture"]
    before = picture.read_bytes()
    assert before.startswith(b"\x89PNG")
    again = tinyml("profile", "net.tflite", "--json", "--budget", "instructions=1", cwd=folder, code=1).json
    (verdict,) = again["budget"]
    assert verdict["over"] == report["instructions"] - 1
    assert again | {"budget": []} == report
    assert picture.read_bytes() == before
    assert json.loads((picture.parent / "profile.json").read_text()) == again


def test_text_fits_a_hundred_columns(tinyml: Tinyml, folder: Path, report: Any) -> None:
    budget = "flash=900k,ram=200k,ms=200,stack=8k,instructions=100m"
    out = tinyml("profile", "net.tflite", "--budget", budget, cwd=folder).out
    assert max(map(len, out.splitlines())) <= 100
    assert sum("CONV_2D" in line for line in out.splitlines()) >= 3
    for word in ("emulated", "estimated", "linked", "Within budget: flash is"):
        assert word in out
    assert "measured" not in out
    out = tinyml("profile", "net.tflite", "--quiet", "--budget", "flash=1k,ms=900", cwd=folder, code=1).out
    assert f"budget 1,024 B: {report['memory']['flash_bytes'] - 1024:,} B over" in out
    assert "Within budget: ms" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--budget", "flash=much"],
        ["--budget", "colour=3"],
        ["--board", "nowhere"],
        ["--engine", "nowhere"],
        ["--port", "/dev/ttyACM0"],
    ],
)
def test_bad_options(tinyml: Tinyml, folder: Path, report: Any, arguments: list[str]) -> None:
    answer = tinyml("profile", "net.tflite", *arguments, "--json", cwd=folder, code=2)
    assert arguments[0] == answer.json["error"]["where"]


def test_a_real_board_is_estimated(tinyml: Tinyml, folder: Path, report: Any) -> None:
    on_board = tinyml("profile", "net.tflite", "--board", "nano33ble", "--json", cwd=folder).json
    assert (on_board["board"], on_board["chip"]) == ("nano33ble", "nano33ble")
    assert on_board["instructions"] == report["instructions"]
    assert on_board["memory"]["board_evidence"] == "estimated"
    assert on_board["memory"]["board_flash_bytes"] > report["memory"]["flash_bytes"]
    beside = on_board["memory"]["board_ram_bytes"] - report["memory"]["ram_bytes"]
    assert beside == 43_400 - 32_768 + 8192, "an empty program's RAM, with the stack that the firmware takes"


def test_time_of_this_computer_and_of_a_board_behind_a_port(
    tinyml: Tinyml, folder: Path, report: Any
) -> None:
    require("g++")
    on_host = tinyml("profile", "net.tflite", "--board", "native", "--json", cwd=folder).json
    assert on_host["evidence"]["time_ms"] == "host"
    assert on_host["instructions"] is on_host["energy_uj"] is on_host["picture"] is None
    assert 0 < on_host["time_ms"] < 100

    # The same firmware as a process speaks as a board does; its clock is the host's.
    elf = folder / "runs" / report["run"] / "firmware" / "native" / "firmware.elf"
    with VirtualDevice("native", elf) as device:
        timed = tinyml(
            "profile", "net.tflite", "--board", "nano33ble", "--port", device.url, "--json", cwd=folder
        ).json
    assert timed["on_board"]["engine"] == "aot"
    assert 0 < timed["on_board"]["time_ms"] < 100
    assert timed["on_board"]["estimate_error"] == pytest.approx(
        timed["time_ms"] / timed["on_board"]["time_ms"] - 1, abs=1e-3
    )
    assert timed["evidence"]["on_board"] == "host"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--compare", "tflm"], "does not name both engines"),
        (["--compare", "aot,aot"], "does not name both engines"),
        (["--compare", "tflm,aot", "--engine", "aot"], "Omit --engine"),
        (["--compare", "tflm,aot", "--board", "native"], "virtual Cortex-M4"),
        (["--compare", "tflm,aot"], "--tflm DIR or TINYML_TFLM=DIR"),
        (["--compare", "tflm,aot", "--tflm", "."], "tensorflow/lite/micro"),
    ],
)
def test_a_comparison_that_cannot_be_made(
    tinyml: Tinyml, folder: Path, arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYML_TFLM", raising=False)
    error = tinyml("profile", "net.tflite", *arguments, "--json", cwd=folder, code=2).json["error"]
    assert says in " ".join(error.values())


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TINYML_TFLM"), reason="TINYML_TFLM names no source tree")
@pytest.mark.timeout(1800)
def test_engines_side_by_side(tinyml: Tinyml, folder: Path, report: Any) -> None:
    both = tinyml("profile", "net.tflite", "--compare", "tflm,aot", "--json", cwd=folder).json
    compared = both["comparison"]
    assert compared["engines"] == ["tflm", "aot"]
    assert compared["instructions"][1] == both["instructions"] == report["instructions"]
    assert compared["ratio"] == pytest.approx(
        compared["instructions"][1] / compared["instructions"][0], abs=1e-4
    )
    for row, own in zip(compared["operators"], both["operators"], strict=True):
        assert row["instructions"][1] == own["instructions"]
        assert row["instructions"][0] > 0 or not row["macs"]
