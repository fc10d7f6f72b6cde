"""The Signal operators give the bytes of TensorFlow Lite Micro, one inference after another.

TINYML_RANDOM_OPERATORS sets how many chains of each kind are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from tests.engines import random_signal_operators
from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, build_each, compare
from tinyml_cli.engines.aot import compiler
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph

EACH = int(os.environ.get("TINYML_RANDOM_OPERATORS", "2"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[bytes, Built]]]:
    folder = tmp_path_factory.mktemp("signal_operators") / "all"
    names = random_signal_operators.MAKERS
    return build_each(random_signal_operators.model, names, range(FIRST, FIRST + EACH), folder)


@pytest.mark.parametrize("name", random_signal_operators.MAKERS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, list[tuple[bytes, Built]]]) -> None:
    seen = [compare(model, network, seed=9, runs=8) for model, network in built[name]]
    assert max(seen) > 1, "the inputs do not tell outputs apart"


def _bands(**chosen: Any) -> bytes:
    """A SignalFilterBank of two channels and three bins, with one thing changed."""
    model = Model()
    x = model.tensor((3,), None, dtype="int32")
    energies, sums, y = (
        model.tensor((size,), None, dtype=dtype)
        for size, dtype in ((3, "uint32"), (2, "uint64"), (2, "uint32"))
    )
    values = {"weights": [1, 2, 3], "unweights": [3, 2, 1], "bins": [0, 1, 2], "first": [0, 1, 2],
              "widths": [1, 1, 1]} | chosen  # fmt: skip
    arrays = [
        model.tensor((len(values[name]),), None, dtype="int16", data=values[name])
        for name in ("weights", "unweights", "bins", "first", "widths")
    ]
    model.operator("CAST", [x], [energies], "CastOptions")
    model.operator(
        "CUSTOM SignalFilterBank", [energies, *arrays], [sums], **values.get("options", {"num_channels": 2})
    )
    bits = model.tensor((), None, dtype="int32")
    samples, scaled = (model.tensor((4,), None, dtype="int16") for _ in range(2))
    model.operator("CUSTOM SignalFftAutoScale", [samples], [scaled, bits])
    model.operator("CUSTOM SignalFilterBankSquareRoot", [sums, bits], [y])
    whole = model.tensor((2,), None, dtype="int32")
    model.operator("CAST", [y], [whole], "CastOptions")
    return model.build([x, samples], [whole])


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"bins": [0, 1, 3]}, "bins or weights that do not exist"),
        ({"first": [0, -1, 2]}, "bins or weights that do not exist"),
        ({"widths": [1, 1, 4]}, "bins or weights that do not exist"),
        ({"bins": [0, 1]}, "other channels than 2"),
        ({"options": {"num_channels": 0}}, "`num_channels` 0"),
        ({"options": {"channels": 2}}, "`num_channels`"),
        ({"options": {}}, "`num_channels`"),
    ],
)
def test_a_filter_bank_beyond_its_input_is_refused(chosen: dict[str, Any], words: str) -> None:
    compiler.compile_graph(tflite_graph.parse(_bands()))
    with pytest.raises(TinymlError) as refused:
        compiler.compile_graph(tflite_graph.parse(_bands(**chosen)))
    assert "SignalFilterBank" in str(refused.value) and words in str(refused.value)


def test_the_state_of_a_stream_starts_anew(built: dict[str, list[tuple[bytes, Built]]]) -> None:
    _, network = built["bands"][0]
    graph, rng = network.network.graph, np.random.default_rng(1)
    tensors = [graph.tensors[index] for index in graph.inputs]
    inputs = [rng.integers(0, 1000, tensor.shape).astype(tensor.dtype) for tensor in tensors]
    network.reset()
    first = network.run(inputs)
    assert any(not np.array_equal(*pair) for pair in zip(first, network.run(inputs), strict=True))
    network.reset()
    for before, after in zip(first, network.run(inputs), strict=True):
        np.testing.assert_array_equal(before, after)
