"""Property: operators on float32 and int32, DIV and CAST give the bytes of TensorFlow Lite Micro.

TINYML_RANDOM_OPERATORS sets how many models of each are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os

import pytest

from tests.engines import random_plain_operators
from tests.engines.many_networks import Built, build_each, compare

EACH = int(os.environ.get("TINYML_RANDOM_OPERATORS", "2"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[bytes, Built]]]:
    folder = tmp_path_factory.mktemp("plain_operators") / "all"
    return build_each(
        random_plain_operators.model, random_plain_operators.MAKERS, range(FIRST, FIRST + EACH), folder
    )


@pytest.mark.parametrize("name", random_plain_operators.MAKERS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, list[tuple[bytes, Built]]]) -> None:
    seen = [compare(model, network, seed=9, runs=6) for model, network in built[name]]
    assert max(seen) > 1, "the inputs do not tell outputs apart"
