"""What is computed from constants is computed at export."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.aot import compiler
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph


def tiled(times: tuple[int, ...], shape: tuple[int, ...]) -> bytes:
    """An input plus the repeats of a constant."""
    made = Model()
    row = made.tensor((1, 3), data=[[1, -2, 3]])
    repeated, x, y = made.tensor(shape), made.tensor(shape), made.tensor(shape)
    made.operator("TILE", [row, made.integers(times)], [repeated], "TileOptions")
    made.operator("ADD", [x, repeated], [y], "AddOptions")
    return made.build([x], [y])


def test_a_tiled_constant_is_a_constant() -> None:
    network = compiler.compile_graph(tflite_graph.parse(tiled((2, 2), (2, 6))))
    assert [step.context.operator.name for step in network.steps] == ["ADD"]
    np.testing.assert_array_equal(network.graph.tensors[1].data, [[1, -2, 3] * 2] * 2)


@pytest.mark.parametrize("times", [(1 << 30, 1 << 30), (0, 2), (2, -1)])
def test_impossible_repeats_are_refused(times: tuple[int, ...]) -> None:
    with pytest.raises(TinymlError, match="TILE"):
        compiler.compile_graph(tflite_graph.parse(tiled(times, (2, 6))))
