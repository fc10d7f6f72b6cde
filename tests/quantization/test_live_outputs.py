"""Operators of which some outputs are not read."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tinyml_cli.quantization.live_outputs import slice_live_outputs
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.interpret import run_float

SAMPLES = np.random.default_rng(5).normal(size=(4, 2, 6)).astype(np.float32)


def model(name: str, read: tuple[int, ...]) -> bytes:
    """Splits [1, 2, 6] and joins some of the parts."""
    made = Model()
    source = made.tensor((1, 2, 6), dtype="float32")
    if name == "UNPACK":
        parts = [made.tensor((1, 6), dtype="float32") for _ in range(2)]
        made.operator(name, [source], parts, "UnpackOptions", num=2, axis=-2)
    elif name == "SPLIT":
        parts = [made.tensor((1, 2, 2), dtype="float32") for _ in range(3)]
        made.operator(name, [made.integers(2), source], parts, "SplitOptions", numSplits=3)
    else:
        parts = [made.tensor((1, 2, size), dtype="float32") for size in (1, 3, 2)]
        sizes, axis = made.integers([1, 3, 2]), made.integers(-1)
        made.operator(name, [source, sizes, axis], parts, "SplitVOptions", numSplits=3)
    shape = list(made.graph.tensors[parts[0]].shape)
    shape[-1] = sum(made.graph.tensors[parts[index]].shape[-1] for index in read)
    answer = made.tensor(tuple(shape), dtype="float32")
    made.operator("CONCATENATION", [parts[i] for i in read], [answer], "ConcatenationOptions", axis=-1)
    return made.build([source], [answer])


@pytest.mark.parametrize(
    ("name", "read"), [("SPLIT", (0, 2)), ("SPLIT", (1,)), ("SPLIT_V", (1, 2)), ("UNPACK", (1,))]
)
def test_the_function_stays_and_every_output_is_read(name: str, read: tuple[int, ...]) -> None:
    before = model(name, read)
    after = slice_live_outputs(before)
    graph = parse(after)
    inputs = {index for operator in graph.operators for index in operator.inputs} | set(graph.outputs)
    assert all(index in inputs for operator in graph.operators for index in operator.outputs)
    np.testing.assert_array_equal(run_float(after, SAMPLES), run_float(before, SAMPLES))


def test_what_is_read_completely_stays_as_it_is() -> None:
    before = model("SPLIT", (2, 0, 1))
    assert slice_live_outputs(before) == before
