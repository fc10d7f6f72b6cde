"""`tinyml bench` by its command line, against TensorFlow Lite Micro on the host."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.bench.conftest import Firmware, OpenModel, host_results
from tests.conftest import Tinyml
from tinyml_cli.bench.bench import summarise
from tinyml_cli.engines.benchmarks import BENCHMARKS


@pytest.mark.parametrize(
    ("name", "board"),
    [("kws", "sim"), ("kws", "native"), pytest.param("vww", "sim", marks=pytest.mark.slow)],
)
def test_accuracy_equals_the_host_s(
    name: str,
    board: str,
    tinyml: Tinyml,
    open_model: OpenModel,
    firmware: Firmware,
    datasets: Path,
    tmp_path: Path,
) -> None:
    firmware(name, board)
    run = open_model(name)
    answer = tinyml("bench", run.path, "--data", datasets, "--board", board, "--json", cwd=tmp_path).json
    dataset, results = host_results(run, name, datasets)
    truth = np.array([example.truth for example in dataset.examples])
    assert answer["accuracy"] == json.loads(json.dumps(summarise(results, truth, BENCHMARKS[name]).as_dict()))
    assert (answer["benchmark"], answer["n"]) == (name, len(truth))
    assert answer["level"] == {"sim": "emulated", "native": "host"}[board]
    assert json.loads(run.file("report/bench.json").read_text()) == answer
    if name == "kws":
        assert answer["accuracy"]["top1"] > 0.8


def test_performance(
    tinyml: Tinyml, open_model: OpenModel, firmware: Firmware, datasets: Path, tmp_path: Path
) -> None:
    firmware("kws", "sim")
    run = open_model("kws")
    arguments = ("bench", run.path, "--data", datasets, "--mode", "performance", "--limit", "2", "--json")
    figures = tinyml(*arguments, cwd=tmp_path).json["performance"]
    assert (figures["inputs"], figures["runs"]) == (2, 20)
    count, time_us = figures["instructions"], figures["inference_us"]
    assert 1e6 < count["min"] <= count["median"] <= count["max"] < 20e6
    # The emulated clock: an instruction a nanosecond.
    assert time_us["median"] == pytest.approx(count["median"] / 1000, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--data", "nowhere"], "no such file or folder"),
        ([], "--data is missing"),
        (["--data", ".", "--mode", "fast"], "Unknown mode `fast`"),
        (["--data", ".", "--benchmark", "nope"], "Unknown benchmark `nope`"),
        (["--data", ".", "--benchmark", "ad"], "does not support a model with input"),
        (["--data", "empty"], "neither y_labels.csv"),
        (["--data", "wrong"], "the model needs 490"),
        (["--data", "folders"], "2 classes, but the model gives 12"),
        (["--serve", "--board", "nano33ble"], "already has a serial port"),
        (["--serve", "--board", "nowhere"], "Unknown board `nowhere`"),
    ],
)
def test_bad_input(
    arguments: list[str], why: str, tinyml: Tinyml, open_model: OpenModel, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (tmp_path / "empty").mkdir()
    (wrong / "a.bin").write_bytes(bytes(489))
    (wrong / "y_labels.csv").write_text("a.bin,12,0\n")
    for name in ("yes", "no"):
        (tmp_path / "folders" / name).mkdir(parents=True)
    (tmp_path / "folders" / "no" / "a.bin").write_bytes(bytes(490))
    run = open_model("kws")
    answer = tinyml("bench", run.path, "--board", "native", *arguments, "--json", cwd=tmp_path, code=2)
    assert why in answer.json["error"]["what"]
