"""Property: operators on int16 activations, float32 and int32 give the bytes of TensorFlow Lite Micro.

TINYML_RANDOM_OPERATORS sets how many models of each are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os

import pytest

from tests.engines import random_plain_operators, random_s16_operators
from tests.engines.many_networks import Built, build_each, compare

EACH = int(os.environ.get("TINYML_RANDOM_OPERATORS", "2"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))
MODULES = {"int16": random_s16_operators, "plain": random_plain_operators}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[tuple[bytes, Built]]]]:
    folder, seeds = tmp_path_factory.mktemp("typed_operators"), range(FIRST, FIRST + EACH)
    return {
        types: build_each(module.model, module.MAKERS, seeds, folder / types)
        for types, module in MODULES.items()
    }


@pytest.mark.parametrize(
    ("types", "name"), [(types, name) for types, module in MODULES.items() for name in module.MAKERS]
)
def test_outputs_equal_those_of_tflm(
    types: str, name: str, built: dict[str, dict[str, list[tuple[bytes, Built]]]]
) -> None:
    seen = [compare(model, network, seed=9, runs=6) for model, network in built[types][name]]
    assert max(seen) > 1, "the inputs do not tell outputs apart"
