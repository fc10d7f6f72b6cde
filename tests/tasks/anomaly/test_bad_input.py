"""What the command line says of data that cannot be learnt from: what, where, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.conftest import Tinyml

Write = Callable[[Path], None]
RNG = np.random.default_rng(2)


def table(path: Path, values: np.ndarray, step_s: float = 0.01, gap_at: int | None = None) -> None:
    """CSV with a time column; half a minute is missing before row `gap_at`."""
    seconds = np.arange(len(values)) * step_s
    if gap_at is not None:
        seconds[gap_at:] += 30.0
    rows = [
        ",".join([f"{t:.3f}", *(f"{v:.4f}" for v in row)]) for t, row in zip(seconds, values, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["time_s,x,y", *rows]) + "\n")


def sessions(folder: Path, name: str = "normal", count: int = 10, constant: bool = False) -> None:
    for index in range(count):
        values = RNG.normal(0, 1, (400, 2)) * (0 if constant else 1) + 3
        table(folder / f"{name}_{index}.csv", values)


def only_faults(folder: Path) -> None:
    sessions(folder, "anomaly")


def nothing(folder: Path) -> None:
    folder.mkdir()


def no_number(folder: Path) -> None:
    sessions(folder)
    path = folder / "normal_3.csv"
    lines = path.read_text().splitlines()
    lines[7] = "0.060,nan,1.0"
    path.write_text("\n".join(lines))


def two_rates(folder: Path) -> None:
    sessions(folder)
    table(folder / "normal_99.csv", RNG.normal(0, 1, (400, 2)), step_s=0.1)


def all_constant(folder: Path) -> None:
    sessions(folder, constant=True)


def too_short(folder: Path) -> None:
    for index in range(10):
        table(folder / f"normal_{index}.csv", RNG.normal(0, 1, (20, 2)))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (only_faults, "None of the data is normal running (found: anomaly)"),
        (nothing, "No readable files found"),
        (no_number, "normal_3.csv line 8"),
        (two_rates, "has 10 samples per second, too few to make 100 of them"),
        (all_constant, "The normal data is constant"),
        (too_short, "No normal recording is long enough for a window of 128 samples"),
    ],
)
def test_data_that_cannot_be_learnt_from(tinyml: Tinyml, tmp_path: Path, write: Write, said: str) -> None:
    write(tmp_path / "data")
    command = ("train", "anomaly", "--data", tmp_path / "data", "--run", tmp_path / "run", "--json")
    error = json.loads(tinyml(*command, cwd=tmp_path, code=2).out)["error"]
    assert said in f"{error['what']} {error['where']}" and error["next_step"]
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_one_file_is_called_by_its_own_name(tinyml: Tinyml, tmp_path: Path) -> None:
    table(tmp_path / "fan 1.csv", RNG.normal(0, 1, (400, 2)))
    command = ("train", "anomaly", "--data", tmp_path / "fan 1.csv", "--json")
    error = json.loads(tinyml(*command, cwd=tmp_path, code=2).out)["error"]
    assert "(found: fan 1)" in error["what"] and error["next_step"].endswith("--normal 'fan 1'")


def test_an_unreachable_rate_is_refused_before_training(tinyml: Tinyml, tmp_path: Path) -> None:
    sessions(tmp_path / "data")
    command = ("train", "anomaly", "--data", tmp_path / "data", "--json")
    share = json.loads(tinyml(*command, "--fpr", "0.001", cwd=tmp_path, code=2).out)["error"]
    assert "cannot be verified with 10 normal windows" in share["what"]
    assert "Record 990 more (10.6 minutes)" in share["next_step"] and "--fpr 0.1 " in share["next_step"]
    hourly = json.loads(tinyml(*command, "--false-alarms-per-hour", "2", cwd=tmp_path, code=2).out)["error"]
    assert "Record 0.5 more hours" in hourly["next_step"]


def test_gaps_and_constant_channels_are_told_and_left_out(tinyml: Tinyml, tmp_path: Path) -> None:
    for index in range(12):
        values = RNG.normal(0, 1, (400, 2))
        values[:, 1] = 7.0
        table(tmp_path / "data" / f"normal_{index}.csv", values, gap_at=200)
    command = ("train", "anomaly", "--method", "kmeans", "--data", tmp_path / "data", "--fpr", "0.2")
    small = ("--set", "mixture.clusters=2", "--run", tmp_path / "run")
    answer = tinyml(*command, *small, "--json", cwd=tmp_path)
    assert "12 gaps (split there)" in answer.err and "ignored: y" in answer.err
    # 400 samples would hold five windows of 128 every 64; two stretches of 200 hold two each.
    assert answer.json["n_train"] + answer.json["n_validation"] == 4 * 10
    anomaly = json.loads((tmp_path / "run" / "manifest.json").read_text())["anomaly"]
    stuck = [d for n, d in zip(anomaly["feature_names"], anomaly["deviations"], strict=True) if n[0] == "y"]
    assert stuck and not any(stuck)
