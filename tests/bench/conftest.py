"""Fixtures: third-party int8 models as firmware `bench`, and data whose answers the host knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.bench import mlperf_data
from tinyml_cli.bench.dataset import BenchmarkData, load
from tinyml_cli.bench.scoring import Scorer
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.benchmarks import choose
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.interpret import has_tflm, run_int8

MODELS = {"kws": "kws_ref_model", "vww": "vww_96_int8", "ic": "pretrainedResnet_quant", "ad": "ad01_int8"}
OpenModel = Callable[[str], Run]
Firmware = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def open_model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenModel:
    """open_model("kws"): a run of the reference model of a benchmark."""
    runs = tmp_path_factory.mktemp("runs")

    def call(name: str) -> Run:
        model = shared / "models" / f"{MODELS[name]}.tflite"
        if not model.is_file():
            pytest.skip(f"there is no {model}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TINYML_RUNS", str(runs))
            return open_run(model)

    return call


@pytest.fixture(scope="session")
def firmware(open_model: OpenModel) -> Firmware:
    """firmware("kws", "sim"): the ELF of the application `bench`."""

    def call(name: str, board: str) -> Path:
        target = load_board(board)
        missing = [need.tool for need in target.needs if not need.present]
        if missing or (target.hosts and sys.platform not in target.hosts):
            pytest.skip(f"board {board} cannot run here (missing: {', '.join(missing) or sys.platform})")
        return Path(build(open_model(name), build_target(board, "aot").bench(name)).elf)

    return call


@pytest.fixture(scope="session")
def datasets(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder of data sets, with kws01 (36 clips) and vww01 (8 photographs)."""
    folder = tmp_path_factory.mktemp("datasets")
    if not (shared / "data" / "speech_commands_v002_test").is_dir():
        pytest.skip("there are no recordings")
    mlperf_data.make_kws(shared, folder, per_class=3)
    mlperf_data.make_vww(shared, folder, count=8)
    return folder


def host_results(run: Run, name: str, folder: Path) -> tuple[BenchmarkData, np.ndarray]:
    """The data set, and what TensorFlow Lite Micro's own runtime makes of it: float64 [n, results]."""
    if not has_tflm():
        pytest.skip("tflite-micro has no wheel for this platform")
    model = run.file(MODEL_INT8).read_bytes()
    graph = tflite_graph.parse(model)
    benchmark = choose(graph, name)
    scorer, dataset = Scorer(graph, benchmark), load(folder, benchmark)
    data = [example.windows(scorer.input_bytes)[0] for example in dataset.examples]
    outputs = run_int8(model, np.stack([scorer.model_input(item) for item in data]), "tflm")
    return dataset, np.stack([scorer.results(*pair) for pair in zip(data, outputs, strict=True)])
