"""MLPerf Tiny's open runner, unmodified, drives the virtual board through a serial port.

Set TINYML_MLPERF_TINY to a checkout of mlcommons/tiny, and TINYML_MLPERF_PYTHON to a Python that has what its
runner imports (scikit-learn, pyusb, pyserial, PyYAML, matplotlib) where the tests' own has not.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench.conftest import Firmware, OpenModel, host_results
from tinyml_cli.bench import launch_runner
from tinyml_cli.bench.bench import summarise
from tinyml_cli.bench.serving import USB_ID
from tinyml_cli.engines.benchmarks import BENCHMARKS

DEVICES = "- name: tinyml\n  type: dut\n  baud: 115200\n  usb:\n    0x1209: 0x0001\n"
NEEDS = "import sklearn.metrics, usb.core, serial, yaml, matplotlib"


@pytest.fixture(scope="module")
def runner() -> tuple[str, Path]:
    """(Python, the runner's folder)."""
    checkout = os.environ.get("TINYML_MLPERF_TINY")
    if not checkout:
        pytest.skip("set TINYML_MLPERF_TINY to a checkout of mlcommons/tiny")
    python = os.environ.get("TINYML_MLPERF_PYTHON", sys.executable)
    if subprocess.run([python, "-c", NEEDS], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} lacks what the runner imports; set TINYML_MLPERF_PYTHON")
    return python, Path(checkout) / "benchmark" / "runner"


@pytest.fixture(params=["kws", "vww"])
def served(
    request: pytest.FixtureRequest, open_model: OpenModel, firmware: Firmware, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """(benchmark, port) of a virtual board that `tinyml bench --serve` offers."""
    firmware(request.param, "sim")
    command = [sys.executable, "-m", "tinyml_cli", "bench", str(open_model(request.param).path), "--serve"]
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        yield request.param, json.loads(process.stdout.readline())["port"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def drive(runner: tuple[str, Path], folder: Path, port: str, *arguments: str | Path) -> Path:
    """Runs the runner; returns the folder of its session."""
    python, sources = runner
    (folder / "devices.yaml").write_text(DEVICES)
    command = [python, launch_runner.__file__, port, USB_ID, sources / "main.py", "-d", "devices.yaml"]
    outcome = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=400, check=False
    )
    (session,) = (folder / "sessions").iterdir()
    assert outcome.returncode == 0, outcome.stderr[-3000:] + (session / "log.txt").read_text()[-3000:]
    return session


def test_accuracy_is_the_host_s(
    served: tuple[str, str], runner: tuple[str, Path], open_model: OpenModel, datasets: Path, tmp_path: Path
) -> None:
    name, port = served
    tests = runner[1] / "tests_accuracy.yaml"
    session = drive(runner, tmp_path, port, "-m", "a", "-t", tests, "-s", datasets)
    dataset, expected = host_results(open_model(name), name, datasets)
    rows: list[dict[str, Any]] = json.loads((session / "results.json").read_text())
    assert [row["file"] for row in rows] == [example.path.name for example in dataset.examples]
    assert [row["infer"]["results"] for row in rows] == expected.tolist()
    truth = np.array([example.truth for example in dataset.examples])
    # The runner divides by the sum of the scores before it ranks them.
    summary = summarise(expected / expected.sum(axis=1, keepdims=True), truth, BENCHMARKS[name])
    text = (session / "results.txt").read_text()
    assert re.findall(r"Top 1% = ([0-9.]+)", text) == [f"{100 * summary.top1:2.1f}"]
    assert re.findall(r"AUC = ([0-9.]+)", text) == [f"{summary.auc:.3f}"]


def test_performance_is_emulated_time(
    served: tuple[str, str], runner: tuple[str, Path], datasets: Path, tmp_path: Path
) -> None:
    name, port = served
    script = (
        f"{BENCHMARKS[name].dataset}:\n  name: short\n  model: {BENCHMARKS[name].dataset}\n"
        "  truth_file: y_labels.csv\n  script:\n    - loop 5:\n      - download\n      - infer 4 1\n"
    )
    (tmp_path / "tests.yaml").write_text(script)
    session = drive(runner, tmp_path, port, "-m", "p", "-t", "tests.yaml", "-s", datasets)
    rows = json.loads((session / "results.json").read_text())
    windows = [row["infer"] for row in rows if "infer" in row]
    assert len(windows) == 5 and all(window["iterations"] == 4 for window in windows)
    # Millions of instructions, one a nanosecond.
    assert all(4_000 < window["elapsed_time"] < 400_000 for window in windows)
