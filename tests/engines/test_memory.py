"""Where tensors lie: aliases, views, joined tensors, odd signatures, caller's buffers, public models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_graphs, test_states_and_boundaries
from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, build, compare
from tinyml_cli.engines.aot import compiler, emit, listing
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph

GRID = (0.05, -7)
SHAPE = (1, 6, 4)


def relu(model: Model, source: int, shape: tuple[int, ...] = SHAPE, alpha: float = 0.3) -> int:
    """Something that computes: a leaky ReLU."""
    target = model.tensor(shape, *GRID)
    model.operator("LEAKY_RELU", [source], [target], "LeakyReluOptions", alpha=alpha)
    return target


def reshape(model: Model, source: int, shape: tuple[int, ...]) -> int:
    target = model.tensor(shape, *GRID)
    model.operator(
        "RESHAPE", [source, model.integers(shape)], [target], "ReshapeOptions", newShape=list(shape)
    )
    return target


def joined(model: Model, sources: list[int], shape: tuple[int, ...], axis: int) -> int:
    target = model.tensor(shape, *GRID)
    model.operator("CONCATENATION", sources, [target], "ConcatenationOptions", axis=axis)
    return target


def output_is_the_input() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    return model.build([x], [reshape(model, x, (24,))])


def input_is_an_output_too() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    return model.build([x], [relu(model, x), x])


def unused_input() -> bytes:
    model = Model()
    x, y = model.tensor(SHAPE, *GRID), model.tensor((5,), *GRID)
    return model.build([y, x], [relu(model, x)])


def one_tensor_twice() -> bytes:
    model = Model()
    y = relu(model, x := model.tensor(SHAPE, *GRID))
    return model.build([x], [y, y, reshape(model, y, (24,))])


def output_used_again() -> bytes:
    """The first output must outlive what is computed from it."""
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    first = relu(model, x)
    second = relu(model, first, alpha=0.7)
    return model.build([x], [first, relu(model, second, alpha=1.2)])


def output_inside_a_joined_tensor() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    parts = [relu(model, x), relu(model, x, alpha=0.8)]
    whole = joined(model, parts, (1, 12, 4), 1)
    return model.build([x], [relu(model, whole, (1, 12, 4)), parts[1], whole])


def joined_twice() -> bytes:
    """Joined tensors within joined tensors, one part used in two of them, one part given twice."""
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    a, b = relu(model, x), relu(model, x, alpha=0.8)
    inner = joined(model, [a, b], (1, 12, 4), 1)
    outer = joined(model, [inner, a, x, a], (1, 30, 4), 1)
    return model.build([x], [relu(model, outer, (1, 30, 4)), relu(model, b, alpha=0.1)])


def view_of_a_view() -> bytes:
    """A part of a part of a joined tensor, which something else is written over."""
    model = Model()
    x = model.tensor((1, 12, 4), *GRID)
    y = relu(model, x, (1, 12, 4))
    halves = [model.tensor(SHAPE, *GRID) for _ in range(2)]
    model.operator("SPLIT", [model.integers(np.array(1)), y], halves, "SplitOptions", numSplits=2)
    quarters = [model.tensor((1, 3, 4), *GRID) for _ in range(2)]
    model.operator("SPLIT", [model.integers(np.array(1)), halves[1]], quarters, "SplitOptions", numSplits=2)
    changed = relu(model, quarters[1], (1, 3, 4))
    total = model.tensor((1, 3, 4), 0.09, 0)
    model.operator("ADD", [changed, quarters[0]], [total], "AddOptions")
    return model.build([x], [total, relu(model, halves[0])])


def residual() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    y = x
    for _ in range(3):
        branch, total = relu(model, relu(model, y), alpha=0.6), model.tensor(SHAPE, *GRID)
        model.operator("ADD", [branch, y], [total], "AddOptions")
        y = total
    return model.build([x], [y])


MODELS: dict[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        output_is_the_input, input_is_an_output_too, unused_input, one_tensor_twice, output_used_again,
        output_inside_a_joined_tensor, joined_twice, view_of_a_view, residual,
        test_states_and_boundaries.stream, test_states_and_boundaries.accumulate,
        test_states_and_boundaries.used_after_assignment, test_states_and_boundaries.delayed_output,
        test_states_and_boundaries.two_states,
    )
} | {
    f"classifier_{kind}": lambda kind=kind: test_states_and_boundaries.classifier(kind)
    for kind in ("uint8", "float32", "int16")
} | {f"random_{seed}": lambda seed=seed: random_graphs.model(seed) for seed in range(1000, 1012)}  # fmt: skip


@pytest.fixture(scope="module", params=compiler.IO_MODES)
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[bytes, Built]]:
    models = {name: make() for name, make in MODELS.items()}
    folder = tmp_path_factory.getbasetemp() / "memory" / request.param
    networks = build(list(models.values()), folder, io=request.param)
    return dict(zip(models, zip(models.values(), networks, strict=True), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    # A random graph may saturate whatever its input.
    assert compare(*built[name], seed=11) > 1 or name.startswith("random")


def plan_of(model: bytes, io: str = "arena") -> compiler.Network:
    return compiler.compile_graph(tflite_graph.parse(model), io=io)


def test_a_chain_of_elementwise_operators_takes_one_tensor() -> None:
    model = Model()
    y = x = model.tensor(SHAPE, *GRID)
    for _ in range(4):
        y = relu(model, y)
    assert plan_of(model.build([x], [y])).plan.arena_bytes == 24


def test_a_residual_takes_two_tensors() -> None:
    assert plan_of(residual()).plan.arena_bytes == 2 * 24


def test_parts_are_made_where_they_are_joined() -> None:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    parts = [relu(model, x, alpha=alpha) for alpha in (0.1, 0.2, 0.3)]
    network = plan_of(model.build([x], [joined(model, parts, (1, 18, 4), 1)]))
    assert network.plan.arena_bytes == 4 * 24
    assert [network.offset(part) for part in parts] == [0, 24, 48]
    assert not network.steps[-1].body


def padded(model: Model, source: int, rows: int) -> int:
    """Rows of zeros after the only row of four values."""
    target = model.tensor((1, rows, 4), *GRID)
    model.operator("PAD", [source, model.integers([(0, 0), (0, rows - 1), (0, 0)])], [target], "PadOptions")
    return target


def test_a_view_that_keeps_too_much_alive_is_copied() -> None:
    """A small part of a large tensor is needed to the end; copying it frees the rest."""
    model = Model()
    x, small = model.tensor((1, 1, 4), *GRID), model.tensor((1, 1, 4), *GRID)
    bounds = [model.integers(values) for values in ((0, 0, 0), (1, 1, 4), (1, 1, 1))]
    model.operator("STRIDED_SLICE", [padded(model, x, 100), *bounds], [small], "StridedSliceOptions")
    total = model.tensor((1, 200, 4), *GRID)
    model.operator("ADD", [padded(model, small, 200), small], [total], "AddOptions")
    network = plan_of(model.build([x], [total]))
    assert network.storage.places[small].root == small
    assert network.plan.arena_bytes == 800 + 4


def test_states_share_no_byte_and_come_first_and_last() -> None:
    network = plan_of(test_states_and_boundaries.two_states())
    states = [row for row in listing.rows(network) if row.role == "state"]
    assert len(states) == 2
    for row in states:
        for other in network.buffers:
            start = network.plan.offsets[other.name]
            assert (
                other.name == row.name or start >= row.offset + row.bytes or row.offset >= start + other.bytes
            )


@pytest.mark.parametrize(
    ("name", "io", "bar"),
    [
        # 0.80 of what TensorFlow Lite Micro takes of its arena on a Cortex-M4 (arena_used_bytes).
        ("kws_ref_model", "arena", 0.80 * 22_820),
        ("vww_96_int8", "arena", 0.80 * 100_708),
        ("pretrainedResnet_quant", "arena", 0.80 * 54_996),
        # Input and output alone are 1,280 bytes: they are the caller's here.
        ("ad01_int8", "caller", 300),
        ("ad01_int8", "arena", 768),
    ],
)
def test_public_models_stay_below_the_bar(name: str, io: str, bar: float, shared: Path) -> None:
    network = compiler.compile_graph(tflite_graph.load(shared / "models" / f"{name}.tflite"), io=io)
    print(f"\n{name}, --io {io}: {network.plan.arena_bytes:,} bytes")
    assert network.plan.arena_bytes <= bar


@pytest.mark.parametrize("io", ["arena", pytest.param("caller", marks=pytest.mark.slow)])
def test_public_models_give_the_bytes_of_tflm(io: str, shared: Path, tmp_path: Path) -> None:
    names = ("kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8")
    models = [(shared / "models" / f"{name}.tflite").read_bytes() for name in names]
    for model, network in zip(models, build(models, tmp_path / io, ("-O2",), io), strict=True):
        assert compare(model, network, seed=5) > 1


def test_a_plan_says_what_lies_where() -> None:
    document = listing.document(plan_of(residual()))
    assert document.arena_bytes == document.lower_bound_bytes == 48
    assert [row.role for row in document.buffers].count("input") == 1
    assert any(row.in_place_of for row in document.buffers)
    _, columns, lines = listing.table(document)
    assert all(len(line) == len(columns) for line in lines)


@pytest.mark.parametrize("io", compiler.IO_MODES)
def test_damaged_models_compile_or_are_refused(io: str) -> None:
    rng, models, refused = np.random.default_rng(5), [make() for make in MODELS.values()], 0
    for _ in range(500):
        data = bytearray(models[int(rng.integers(len(models)))])
        for at in rng.integers(len(data), size=int(rng.integers(1, 4))):
            word = [0, 1, 2, 3, 255, 1 << 31, (1 << 32) - 1][int(rng.integers(7))]
            at = min(int(at), len(data) - 4) // 4 * 4
            data[at : at + 4] = word.to_bytes(4, "little")
        try:
            network = compiler.compile_graph(tflite_graph.parse(bytes(data)), io=io)
            assert emit.header(network, "0" * 64) and emit.source(network)
        except TinymlError as error:
            refused += 1
            assert error.what and error.next_step
    assert 100 < refused < 500


def no_outputs() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    relu(model, x)
    return model.build([x], [])


def one_input_twice() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    return model.build([x, x], [relu(model, x)])


def output_of_nobody() -> bytes:
    model = Model()
    x = model.tensor(SHAPE, *GRID)
    relu(model, x)
    return model.build([x], [model.tensor((3,), *GRID)])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_outputs, "0 outputs"),
        (one_input_twice, "1 different input of 2"),
        (output_of_nobody, "No operator computes"),
    ],
)
def test_signatures_that_make_no_sense_are_refused(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(TinymlError) as caught:
        plan_of(make())
    assert words in caught.value.what


def test_an_unknown_place_for_inputs_is_refused() -> None:
    with pytest.raises(TinymlError, match="nowhere"):
        plan_of(residual(), "nowhere")
