"""Property: operators on int16 activations give the bytes of TensorFlow Lite Micro.

TINYML_RANDOM_OPERATORS sets how many models of each are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os

import pytest

from tests.engines import random_s16_operators
from tests.engines.many_networks import Built, build, compare

EACH = int(os.environ.get("TINYML_RANDOM_OPERATORS", "2"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[bytes, Built]]]:
    models = {
        name: [random_s16_operators.model(name, seed) for seed in range(FIRST, FIRST + EACH)]
        for name in random_s16_operators.MAKERS
    }
    every = [model for made in models.values() for model in made]
    networks = iter(build(every, tmp_path_factory.mktemp("s16_operators") / "all"))
    return {name: [(model, next(networks)) for model in made] for name, made in models.items()}


@pytest.mark.parametrize("name", random_s16_operators.MAKERS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, list[tuple[bytes, Built]]]) -> None:
    seen = [compare(model, network, seed=9, runs=6) for model, network in built[name]]
    assert max(seen) > 1, "the inputs do not tell outputs apart"
