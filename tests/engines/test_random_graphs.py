"""Property: whatever graph the aot engine compiles gives the bytes of TensorFlow Lite Micro's own runtime.

TINYML_RANDOM_GRAPHS sets how many graphs are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.engines import random_graphs
from tests.engines.many_networks import assert_parity, build, compare
from tinyml_cli.tflite import graph as tflite_graph

GRAPHS = int(os.environ.get("TINYML_RANDOM_GRAPHS", "80"))
FEW = 25
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))
UBSAN = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan")


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(FIRST, FIRST + min(FEW, GRAPHS)), id="few"),
        pytest.param(range(FIRST + FEW, FIRST + GRAPHS), id="the others", marks=pytest.mark.slow),
    ],
)
def test_random_graphs_give_the_bytes_of_tflm(seeds: range, tmp_path: Path) -> None:
    models = {seed: random_graphs.model(seed) for seed in seeds}
    assert_parity(models, tmp_path / "graphs")


@pytest.mark.slow
def test_arithmetic_is_defined(tmp_path: Path) -> None:
    """Under UBSan; a shared library cannot load ASan's runtime late."""
    models = {seed: random_graphs.model(seed) for seed in range(1000, 1015)}
    try:
        networks = build(list(models.values()), tmp_path / "ubsan", UBSAN)
    except OSError as error:
        pytest.skip(f"UBSan's runtime cannot be loaded here: {error}")
    for (seed, model), network in zip(models.items(), networks, strict=True):
        compare(model, network, seed)


def test_random_graphs_hold_every_operator_they_are_made_for() -> None:
    counts: Counter[str] = Counter()
    for seed in range(80):
        graph = tflite_graph.parse(random_graphs.model(seed))
        counts.update(operator.name for operator in graph.operators)
    assert len(counts) >= 27, counts


def test_a_seed_fixes_the_model() -> None:
    assert random_graphs.model(3) == random_graphs.model(3)
    assert len({random_graphs.model(seed) for seed in range(10)}) == 10
