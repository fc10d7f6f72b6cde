"""Streaming models that keep state, and models whose boundary is not int8, against TFLM's own runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model, Subgraph
from tests.engines.many_networks import Built, Judge, build, compare, random_values
from tinyml_cli.engines.aot import compiler
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.layers import activation_names

GRID = (0.05, -7)


def handle(graph: Subgraph, name: str) -> int:
    index = graph.tensor((1,), None, dtype="resource")
    graph.operator("VAR_HANDLE", [], [index], "VarHandleOptions", sharedName=name, container="")
    return index


def initialised(model: Model, name: str, values: np.ndarray) -> None:
    """CALL_ONCE of a subgraph that assigns a constant."""
    function = model.function()
    state, constant = handle(function, name), function.tensor(values.shape, *GRID, data=values)
    function.operator("ASSIGN_VARIABLE", [state, constant], [], "AssignVariableOptions")
    number = len(model.model.subgraphs) - 1
    model.operator("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=number)


def read(model: Model, state: int, shape: tuple[int, ...]) -> int:
    value = model.tensor(shape, *GRID)
    model.operator("READ_VARIABLE", [state], [value], "ReadVariableOptions")
    return value


def assign(model: Model, state: int, value: int) -> None:
    model.operator("ASSIGN_VARIABLE", [state, value], [], "AssignVariableOptions")


def add(model: Model, a: int, b: int, shape: tuple[int, ...]) -> int:
    total = model.tensor(shape, *GRID)
    model.operator("ADD", [a, b], [total], "AddOptions")
    return total


def test_operators_that_make_nothing_are_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASSIGN_VARIABLE and CALL_ONCE have no output, on the whole way from a file to both engines' sources."""
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "stream.tflite"
    path.write_bytes(stream(start=True))
    assert export(open_run(path), "both").engine == "both"
    assert "assign_variable" in activation_names(tflite_graph.parse(path.read_bytes()))


def stream(start: bool = False) -> bytes:
    """A convolution over the last four frames; three are kept."""
    model = Model()
    if start:
        initialised(model, "frames", np.arange(15).reshape(1, 3, 1, 5) * 7 - 50)
    x = model.tensor((1, 1, 1, 5), *GRID)
    state = handle(model, "frames")
    kept = read(model, state, (1, 3, 1, 5))
    window = model.tensor((1, 4, 1, 5), *GRID)
    model.operator("CONCATENATION", [kept, x], [window], "ConcatenationOptions", axis=1)
    tail = model.tensor((1, 3, 1, 5), *GRID)
    bounds = [model.integers(values) for values in ((0, -3, 0, 0), (0, 0, 0, 0), (1, 1, 1, 1))]
    model.operator("STRIDED_SLICE", [window, *bounds], [tail], "StridedSliceOptions", beginMask=1, endMask=15)
    assign(model, state, tail)
    weights = model.tensor((6, 4, 1, 5), data=np.random.default_rng(1).integers(-127, 128, (6, 4, 1, 5)),
                           scales=[0.01] * 6)  # fmt: skip
    y = model.tensor((1, 1, 1, 6), 0.3, 5)
    model.operator("CONV_2D", [window, weights], [y], "Conv2DOptions", strideH=1, strideW=1, padding=1)
    return model.build([x], [y])


def accumulate() -> bytes:
    """A running sum that is the output too."""
    model = Model()
    x, state = model.tensor((1, 8), *GRID), handle(model, "sum")
    total = add(model, read(model, state, (1, 8)), x, (1, 8))
    assign(model, state, total)
    return model.build([x], [total])


def used_after_assignment() -> bytes:
    """The difference to the previous input: the state is assigned before its old value is used."""
    model = Model()
    x, state = model.tensor((1, 8), *GRID), handle(model, "previous")
    before = read(model, state, (1, 8))
    assign(model, state, x)
    y = model.tensor((1, 8), 0.08, 0)
    model.operator("SUB", [x, before], [y], "SubOptions")
    return model.build([x], [y])


def delayed_output() -> bytes:
    """The previous input, which is a view of the state when the next one is assigned."""
    model = Model()
    x, state = model.tensor((1, 8), *GRID), handle(model, "previous")
    before = read(model, state, (1, 8))
    view = model.tensor((2, 4), *GRID)
    model.operator("RESHAPE", [before, model.integers((2, 4))], [view], "ReshapeOptions", newShape=[2, 4])
    assign(model, state, x)
    return model.build([x], [view])


def two_states() -> bytes:
    """Two delays one after another, and a second handle of the first."""
    model = Model()
    x, first, second = model.tensor((1, 8), *GRID), handle(model, "one"), handle(model, "two")
    older, old = read(model, second, (1, 8)), read(model, first, (1, 8))
    y = add(model, add(model, older, old, (1, 8)), x, (1, 8))
    assign(model, second, old)
    assign(model, handle(model, "one"), x)
    return model.build([x], [y])


def changed(source: str, target: str, grids: tuple[tuple[float, int], tuple[float, int]]) -> bytes:
    """QUANTIZE or DEQUANTIZE alone."""
    model = Model()
    x, y = (
        model.tensor((3, 7), *grid, dtype=kind) for kind, grid in zip((source, target), grids, strict=True)
    )
    model.operator("DEQUANTIZE" if target == "float32" else "QUANTIZE", [x], [y])
    return model.build([x], [y])


def classifier(kind: str) -> bytes:
    """Layers in int8 between inputs and outputs of another type."""
    model = Model()
    zero = {"uint8": 128, "float32": 0, "int16": 0}[kind]
    x, q = model.tensor((1, 12), 0.05, zero, dtype=kind), model.tensor((1, 12), 0.05, 0)
    model.operator("QUANTIZE", [x], [q])
    weights = model.tensor((4, 12), 0.02, data=np.random.default_rng(2).integers(-127, 128, (4, 12)))
    h, p = model.tensor((1, 4), 0.1, 3), model.tensor((1, 4), 1 / 256, -128)
    model.operator("FULLY_CONNECTED", [q, weights, -1], [h], "FullyConnectedOptions")
    model.operator("SOFTMAX", [h], [p], "SoftmaxOptions", beta=1.0)
    out = {"uint8": (1 / 256, 0), "float32": (1.0, 0), "int16": (1 / 32768, 0)}[kind]
    y = model.tensor((1, 4), *out, dtype=kind)
    model.operator("DEQUANTIZE" if kind == "float32" else "QUANTIZE", [p], [y])
    return model.build([x], [y])


def softmax_to_int16() -> bytes:
    """The end of streaming models that TensorFlow Lite Micro brings along: int16, then int32."""
    model = Model()
    x, p = model.tensor((3, 7), 0.07, 2), model.tensor((3, 7), 1 / 65535, -32768, dtype="int16")
    y = model.tensor((3, 7), 2 / 65535, 0, dtype="int32")
    model.operator("SOFTMAX", [x], [p], "SoftmaxOptions", beta=1.0)
    model.operator("QUANTIZE", [p], [y])
    return model.build([x], [y, p])


def dynamic_flatten() -> bytes:
    """The arithmetic of shapes that a converter puts before RESHAPE when the batch is open."""
    model = Model()
    x, shape, batch = (
        model.tensor((1, 3, 4), *GRID),
        model.tensor((3,), None, dtype="int32"),
        model.tensor((), None, dtype="int32"),
    )
    model.operator("SHAPE", [x], [shape], "ShapeOptions", outType=2)
    bounds = [model.integers(values) for values in ((0,), (1,), (1,))]
    model.operator("STRIDED_SLICE", [shape, *bounds], [batch], "StridedSliceOptions", shrinkAxisMask=1)
    packed = model.tensor((2,), None, dtype="int32")
    model.operator("PACK", [batch, model.integers(np.array(12))], [packed], "PackOptions", valuesCount=2)
    flat, y = model.tensor((1, 12), *GRID), model.tensor((1, 12), 0.03, 0)
    model.operator("RESHAPE", [x, packed], [flat], "ReshapeOptions")
    model.operator("RELU", [flat], [y])
    return model.build([x], [y])


def siamese() -> bytes:
    """Two inputs, three outputs, one of them an input's alias and one in the middle of the graph."""
    model = Model()
    a, b = model.tensor((2, 5), *GRID), model.tensor((1, 5), *GRID)
    flat = model.tensor((10,), *GRID)
    model.operator("RESHAPE", [a, model.integers((10,))], [flat], "ReshapeOptions", newShape=[10])
    total = add(model, a, b, (2, 5))
    y = model.tensor((2, 5), 1 / 256, -128)
    model.operator("LOGISTIC", [total], [y])
    return model.build([a, b], [y, total, flat])


CASES: dict[str, Callable[[], bytes]] = {
    "stream": stream,
    "stream_from_values": lambda: stream(start=True),
    "accumulate": accumulate,
    "used_after_assignment": used_after_assignment,
    "delayed_output": delayed_output,
    "two_states": two_states,
    "dynamic_flatten": dynamic_flatten,
    "siamese": siamese,
    **{f"classifier_{kind}": lambda kind=kind: classifier(kind) for kind in ("uint8", "float32", "int16")},
    "uint8_to_int8": lambda: changed("uint8", "int8", ((0.02, 100), (0.03, -20))),
    "uint8_shifted": lambda: changed("uint8", "int8", ((0.02, 128), (0.02, 0))),
    "int8_to_uint8": lambda: changed("int8", "uint8", ((0.02, 5), (0.015, 140))),
    "int8_to_int16": lambda: changed("int8", "int16", ((0.02, 5), (0.0001, 0))),
    "int16_to_int8": lambda: changed("int16", "int8", ((0.0003, 0), (0.05, -20))),
    "int16_to_int32": lambda: changed("int16", "int32", ((0.0003, -32768), (0.0007, 11))),
    "probabilities_in_int16": softmax_to_int16,
    "float_to_int8": lambda: changed("float32", "int8", ((1, 0), (0.06, -20))),
    "float_to_int16": lambda: changed("float32", "int16", ((1, 0), (0.0003, 0))),
    "int8_to_float": lambda: changed("int8", "float32", ((0.0123, -20), (1, 0))),
    "int16_to_float": lambda: changed("int16", "float32", ((0.000123, 0), (1, 0))),
    "uint8_to_float": lambda: changed("uint8", "float32", ((0.0123, 77), (1, 0))),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Built]]:
    models = {name: make() for name, make in CASES.items()}
    networks = build(list(models.values()), tmp_path_factory.mktemp("states") / "all")
    return {name: (model, network) for (name, model), network in zip(models.items(), networks, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built[name]
    assert compare(model, network, seed=3, runs=12) > 6


def test_reset_starts_the_stream_anew(built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built["stream_from_values"]
    tensor = network.network.graph.tensors[network.network.graph.inputs[0]]
    inputs = [[random_values(tensor, np.random.default_rng(9), 0)] for _ in range(5)]
    network.reset()
    fresh = Judge(model)
    for values in inputs:
        np.testing.assert_array_equal(network.run(values)[0], fresh.run(values)[0])
    first, second = (_run_from_reset(network, inputs) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def _run_from_reset(network: Built, inputs: list[list[np.ndarray]]) -> np.ndarray:
    network.reset()
    return np.array([network.run(values)[0] for values in inputs])


def test_shape_arithmetic_leaves_nothing_to_run() -> None:
    network = compiler.compile_graph(tflite_graph.parse(dynamic_flatten()))
    assert {operator.name for operator in network.graph.operators} == {"RESHAPE", "RELU"}


def test_a_state_that_is_computed_at_the_start_is_refused() -> None:
    model = Model()
    function = model.function()
    state, value = handle(function, "s"), function.tensor((1, 8), *GRID)
    function.operator("RELU", [function.tensor((1, 8), *GRID)], [value])
    function.operator("ASSIGN_VARIABLE", [state, value], [], "AssignVariableOptions")
    model.operator("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    x = model.tensor((1, 8), *GRID)
    total = add(model, read(model, handle(model, "s"), (1, 8)), x, (1, 8))
    with pytest.raises(TinymlError, match="initial value"):
        compiler.compile_graph(tflite_graph.parse(model.build([x], [total])), str(Path("m.tflite")))
