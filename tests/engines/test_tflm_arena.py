"""The computed arena of TensorFlow Lite Micro; its own runtime is the judge where it is installed."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_graphs, random_operators, recurrent_models, wide_graphs
from tests.engines import test_states_and_boundaries as states
from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines import tflm, tflm_arena
from tinyml_cli.engines.export import export
from tinyml_cli.engines.tflm_arena import ArenaBytes, PlacedBuffer
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages.adopt import open_run

ALLOWED_SHARE, ALLOWED_BYTES = 1.1, 2048

Measure = Callable[[bytes], ArenaBytes]


@pytest.fixture
def runtime() -> object:
    return pytest.importorskip("tflite_micro", reason="tflite-micro has no wheel for this platform").runtime


@pytest.fixture
def measure(runtime: object, capfd: pytest.CaptureFixture[str]) -> Measure:
    """What the runtime reports after an allocation: it prints its figures to the descriptor."""

    def measured(model: bytes) -> ArenaBytes:
        capfd.readouterr()
        runtime.Interpreter.from_bytes(model, arena_size=1 << 20).print_allocations()  # type: ignore[attr-defined]
        text = "".join(capfd.readouterr())
        head, tail = (re.search(rf"Arena allocation {part} (\d+) bytes", text) for part in ("head", "tail"))
        assert head and tail, text
        return ArenaBytes(int(head[1]), int(tail[1]))

    return measured


def models() -> Iterator[tuple[str, bytes]]:
    for seed in range(30):
        yield f"random graph {seed}", random_graphs.model(seed)
    for seed in range(8):
        yield f"wide graph {seed}", wide_graphs.model(seed)
    for name, seed in itertools.product(random_operators.MAKERS, range(3)):
        yield f"{name} {seed}", random_operators.model(name, seed)
    for seed in range(3):
        yield f"SVDF {seed}", recurrent_models.svdf(seed)
        yield f"LSTM {seed}", recurrent_models.lstm(seed)
    yield "LSTM of float32", float_lstm()
    for make in (states.stream, states.two_states, states.softmax_to_int16, states.siamese):
        yield make.__name__, make()
    yield "long chain", chain(60)
    yield "offline plan", offline_plan()


def float_lstm() -> bytes:
    """Its scratch has the type of the cells, which is not that of an int8 network's."""
    model = Model()
    units, x = 20, model.tensor((1, 28, 3), dtype="float32")
    taken = [x] + [recurrent_models.ABSENT] * 23
    for gate in range(4):
        shapes = {1 + gate: (units, 3), 5 + gate: (units, units), 12 + gate: (units,)}
        for position, shape in shapes.items():
            taken[position] = model.tensor(shape, dtype="float32", data=np.ones(shape))
    for position in (18, 19):
        taken[position] = model.tensor((1, units), dtype="float32", variable=True)
    y = model.tensor((1, 28, units), dtype="float32")
    fields = {"fusedActivationFunction": 4}
    model.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", taken, [y], "UnidirectionalSequenceLSTMOptions", **fields)
    return model.build([x], [y])


def chain(operators: int) -> bytes:
    """Small tensors and many operators: the planning needs more than an inference."""
    model = Model()
    first = last = model.tensor((1, 4))
    for _ in range(operators):
        following = model.tensor((1, 4))
        model.operator("RELU", [last], [following])
        last = following
    return model.build([first], [last])


def offline_plan() -> bytes:
    """A model that places one of its tensors itself, far above the others."""
    model = Model()
    x, y, z = (model.tensor((1, 40)) for _ in range(3))
    model.operator("RELU", [x], [y])
    model.operator("RELU", [y], [z])
    entry = model.schema.MetadataT()
    entry.name = "OfflineMemoryAllocation"
    entry.buffer = model.buffer(np.array([1, 0, 3, -1, 1024, -1], "<i4").tobytes())
    model.model.metadata = [entry]
    return model.build([x], [z])


def test_it_is_what_the_runtime_measures_and_enough_to_start(runtime: object, measure: Measure) -> None:
    for name, model in models():
        computed, measured = tflm_arena.compute(model), measure(model)
        assert computed.head >= measured.head and computed.tail >= measured.tail, name
        total = computed.head + computed.tail
        assert total <= ALLOWED_SHARE * (measured.head + measured.tail) + ALLOWED_BYTES or "chain" in name
        runtime.Interpreter.from_bytes(model, arena_size=total).invoke()  # type: ignore[attr-defined]


def test_what_the_planning_needs_is_part_of_it(runtime: object, measure: Measure) -> None:
    model = chain(60)
    measured = measure(model)
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(model, arena_size=measured.head + measured.tail)  # type: ignore[attr-defined]
    computed = tflm_arena.compute(model)
    too_small = computed.head + computed.tail - 32
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(model, arena_size=too_small)  # type: ignore[attr-defined]


def test_an_offline_plan_is_kept() -> None:
    assert tflm_arena.compute(offline_plan()).head >= 1024 + 48


def test_buffers_that_live_together_do_not_overlap_and_gaps_are_filled() -> None:
    long, early, late = PlacedBuffer(64, 0, 9), PlacedBuffer(32, 0, 1), PlacedBuffer(32, 2, 3)
    assert tflm_arena.placed([early, late, long]) == 96
    assert tflm_arena.placed([]) == 0
    assert tflm_arena.placed([PlacedBuffer(16, 0, 0, offset=160), long]) == 176


def test_export_gives_the_same_arena_without_the_runtime(
    runtime: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(random_graphs.model(1))
    with_it = export(open_run(path), "tflm").arena_bytes
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    assert export(open_run(path), "tflm").arena_bytes == with_it


def test_several_models_share_what_does_not_persist(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = random_graphs.model(2), random_graphs.model(3)
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    alone = [tflm.arena_bytes(model) for model in (small, large)]
    assert max(alone) < tflm.arena_bytes(small, large) < sum(alone)


def test_an_operator_of_unknown_needs_is_named() -> None:
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 4))
    model.operator("CUSTOM SignalWindow", [source], [answer])
    with pytest.raises(TinymlError, match="CUSTOM SignalWindow"):
        tflm_arena.compute(model.build([source], [answer]))


def test_a_function_that_calls_itself_is_an_error() -> None:
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 4))
    model.operator("RELU", [source], [answer])
    model.operator("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    model.function().operator("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    with pytest.raises(TinymlError, match="without an end"):
        tflm_arena.compute(model.build([source], [answer]))


def test_tensors_of_another_rank_are_an_error() -> None:
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 4))
    weights = model.tensor((4,), data=np.ones(4))
    model.operator("DEPTHWISE_CONV_2D", [source, weights], [answer], "DepthwiseConv2DOptions")
    with pytest.raises(TinymlError, match="rank"):
        tflm_arena.compute(model.build([source], [answer]))
