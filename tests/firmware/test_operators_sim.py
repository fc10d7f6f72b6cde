"""Graphs of many operators on the emulated Cortex-M4: same bytes as TFLM."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_graphs, recurrent_models
from tests.engines.network_builds import generate, random_inputs, run_sim, tflm_outputs
from tests.engines.test_states_and_boundaries import CASES as STATES
from tinyml_cli.tflite import graph as tflite_graph

SEEDS = (13, 15, 16, 28)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sim_operators")


@pytest.mark.parametrize("seed", SEEDS)
def test_outputs_equal_those_of_tflm(seed: int, builds: Path) -> None:
    model = random_graphs.large_model(seed)
    network = generate(model, builds / str(seed))
    inputs = random_inputs(network, 24, seed=4)
    expected = tflm_outputs(model, inputs)
    assert len(np.unique(expected, axis=0)) > 6, "the inputs do not tell outputs apart"
    np.testing.assert_array_equal(run_sim(network, builds / str(seed), inputs).outputs, expected)


def test_a_stream_keeps_its_state(builds: Path) -> None:
    _same_as_tflm(STATES["stream_from_values"](), builds / "stream")


@pytest.mark.parametrize("state", ["int8", "int16"])
def test_svdf(state: str, builds: Path) -> None:
    model = recurrent_models.svdf(4, state=state, inputs=13, batches=2, outputs=5, rank=2, memory=8, gain=1.0)
    _same_as_tflm(model, builds / f"svdf_{state}")


def _same_as_tflm(model: bytes, folder: Path) -> None:
    network = generate(model, folder)
    inputs = random_inputs(network, 12, seed=7)
    expected = tflm_outputs(model, inputs)
    assert len(np.unique(expected, axis=0)) > 6, "the inputs do not tell outputs apart"
    np.testing.assert_array_equal(run_sim(network, folder, inputs).outputs, expected)


def test_the_graphs_hold_most_operators() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        graph = tflite_graph.parse(random_graphs.large_model(seed))
        counts.update(operator.name for operator in graph.operators)
    assert len(counts) >= 24, counts
