"""Property: an operator gives the bytes of TensorFlow Lite Micro whatever its shapes, scales, zero points.

TINYML_RANDOM_OPERATORS sets how many models of each are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_operators, wide_graphs
from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, Judge, assert_parity, build, build_each, compare
from tests.engines.test_random_graphs import UBSAN

EACH = int(os.environ.get("TINYML_RANDOM_OPERATORS", "4"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[bytes, Built]]]:
    folder = tmp_path_factory.mktemp("random_operators") / "all"
    return build_each(random_operators.model, random_operators.MAKERS, range(FIRST, FIRST + EACH), folder)


@pytest.mark.parametrize("name", random_operators.MAKERS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, list[tuple[bytes, Built]]]) -> None:
    seen = [compare(model, network, seed=9, runs=6) for model, network in built[name]]
    assert max(seen) > 1, "the inputs do not tell outputs apart"


def test_graphs_of_them_give_the_bytes_of_tflm(tmp_path: Path) -> None:
    assert_parity(
        {seed: wide_graphs.model(seed) for seed in range(FIRST, FIRST + 2 * EACH)}, tmp_path / "graphs"
    )


def test_arithmetic_is_defined(tmp_path: Path) -> None:
    """Under UBSan; a shared library cannot load ASan's runtime late."""
    models = [random_operators.model(name, 2000) for name in random_operators.MAKERS]
    try:
        networks = build(models, tmp_path / "ubsan", UBSAN)
    except OSError as error:
        pytest.skip(f"UBSan's runtime cannot be loaded here: {error}")
    for model, network in zip(models, networks, strict=True):
        compare(model, network, seed=4, runs=4)


def test_computed_indices_pick_from_a_table_and_must_lie_in_it(tmp_path: Path) -> None:
    made = Model()
    table = made.tensor((5, 3), 0.1, 4, data=np.arange(15).reshape(5, 3))
    indices = made.tensor((1, 4), None, dtype="int32")
    picked = made.tensor((1, 4, 3), 0.1, 4)
    made.operator("GATHER", [table, indices], [picked], "GatherOptions", axis=0)
    model = made.build([indices], [picked])
    (network,) = build([model], tmp_path / "gather")
    given = [np.array([[4, 0, 3, 3]], np.int32)]
    np.testing.assert_array_equal(network.run(given)[0], Judge(model).run(given)[0])
    for outside in (-1, 5):  # network_invoke answers with the operator's number instead of 0.
        with pytest.raises(AssertionError):
            network.run([np.array([[0, outside, 1, 1]], np.int32)])
