"""Recurrent operators against TensorFlow Lite Micro's own runtime, one inference after another.

TINYML_RANDOM_GRAPHS sets how many models of each operator are tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines import recurrent_models
from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, Judge, build, compare, random_values
from tests.engines.test_plan_simulation import follow
from tests.engines.test_random_graphs import UBSAN
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.opset import check_int8

SEEDS = range(int(os.environ.get("TINYML_RANDOM_GRAPHS", "6")))
MAKERS: dict[str, Callable[..., bytes]] = {"SVDF": recurrent_models.svdf, "LSTM": recurrent_models.lstm}
MODELS = {f"{name} {seed}": (lambda name=name, seed=seed: MAKERS[name](seed))
          for name in MAKERS for seed in SEEDS}  # fmt: skip
EXTREMES = {
    "weights_of_-128": lambda: recurrent_models.svdf(1, inputs=40, lowest_weight=-128, gain=1.0),
    "sums_that_wrap": lambda: recurrent_models.svdf(
        2, state="int16", memory=10, rank=3, inputs=13, bias_spread=1e9
    ),
    "cell_in_2^-18": lambda: recurrent_models.lstm(
        1, cell_power=-18, gains=[0.7, 0.7], units=8, steps=5, output_scale=1 / 1000, cell_clip=0
    ),
    "cell_in_2^-1": lambda: recurrent_models.lstm(
        2, cell_power=-1, gains=[3, 3], units=8, steps=5, output_scale=1 / 128, cell_clip=0
    ),
    "gates_that_saturate": lambda: recurrent_models.lstm(3, gains=[500, 500], units=8, steps=5, inputs=7),
    "one_unit": lambda: recurrent_models.lstm(
        4, inputs=1, units=1, steps=1, batches=1, gains=[1, 1], zeros=[0, 0], output_scale=1 / 128
    ),
    "one_of_everything": lambda: recurrent_models.svdf(
        3, inputs=1, outputs=1, rank=1, memory=1, batches=1, gain=1.0, zeros=[0, 0, 0]
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Built]]:
    models = {name: make() for name, make in {**MODELS, **EXTREMES}.items()}
    networks = build(list(models.values()), tmp_path_factory.mktemp("recurrent") / "all", UBSAN)
    return {name: (model, network) for (name, model), network in zip(models.items(), networks, strict=True)}


def test_random_models_give_the_bytes_of_tflm(built: dict[str, tuple[bytes, Built]]) -> None:
    different = [compare(*built[name], seed=11, runs=14) for name in MODELS]
    assert np.mean(np.array(different) > 1) > 0.7, different


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_give_the_bytes_of_tflm(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    assert compare(*built[name], seed=11, runs=14) > 1, "the inputs do not tell outputs apart"


@pytest.mark.parametrize("name", MAKERS)
def test_reset_starts_anew(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built[f"{name} 0"]
    tensor = network.network.graph.tensors[network.network.graph.inputs[0]]
    values = random_values(tensor, np.random.default_rng(3), 0)
    first = []
    for _ in range(2):
        network.reset()
        np.testing.assert_array_equal(network.run([values])[0], Judge(model).run([values])[0])
        first.append(network.run([values])[0])
    np.testing.assert_array_equal(*first)


@pytest.mark.parametrize("io", compiler.IO_MODES)
def test_nothing_is_overwritten_too_early(io: str) -> None:
    for make in MODELS.values():
        follow(compiler.compile_graph(tflite_graph.parse(make()), io=io))


def test_the_state_is_known_to_all_who_ask() -> None:
    graph = tflite_graph.parse(recurrent_models.svdf(0, state="int16", batches=2, inputs=3, outputs=2,
                                                     rank=2, memory=5))  # fmt: skip
    assert graph.remembers
    assert tflite_graph.total_macs(graph) == 2 * (4 * 3 + 4 * 5)
    assert check_int8(graph)
    (state,) = compiler.compile_graph(graph).storage.states.values()
    assert state.bytes == 2 * 4 * 5 * 2
    graph = tflite_graph.parse(recurrent_models.lstm(0, batches=2, steps=5, inputs=3, units=4))
    assert graph.remembers
    assert tflite_graph.total_macs(graph) == 2 * 5 * 4 * 4 * (3 + 4)
    assert sum(state.bytes for state in compiler.compile_graph(graph).storage.states.values()) == 2 * 4 * 3


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"variable": False}, ("not a variable",)),
        ({"shared": True}, ("used elsewhere",)),
        ({"state": "int8", "time_type": "int16"}, ("int16", "int8")),
        ({"state": "int8", "bias_gain": 3.0}, ("bias of scale",)),
        ({"outputs": 3, "rank": 1, "declared_rank": 2}, ("rank 2",)),
        ({"outputs": 4, "rank": 1, "declared_rank": 2}, ("[2, 2]", "[2, 4]")),
    ],
)
def test_other_kinds_of_svdf_are_refused(chosen: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(recurrent_models.svdf(5, batches=2, **chosen), "SVDF", *words)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"extra": 10}, ("peephole",)),
        ({"extra": 16}, ("projection",)),
        ({"extra": 23}, ("layer normalisation",)),
        ({"missing": 1}, ("input gate",)),
        ({"missing": 7}, ("input 7",)),
        ({"fusedActivationFunction": 1}, ("RELU", "TANH")),
        ({"diagonalRecurrentTensors": True}, ("diagonal",)),
        ({"variable": False}, ("not a variable",)),
        ({"target_scale": 0.5}, ("hidden state",)),
        ({"cell_type": "int8"}, ("int16",)),
        ({"cell_scale": 0.0003}, ("power of two",)),
        ({"cell_power": 5}, ("power of two",)),
    ],
)
def test_other_kinds_of_lstm_are_refused(chosen: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(recurrent_models.lstm(5, **chosen), "UNIDIRECTIONAL_SEQUENCE_LSTM", *words)


@pytest.mark.parametrize("steps", [1, 5])
def test_export_warns_of_sequences_that_are_not_a_stream(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "lstm.tflite"
    path.write_bytes(recurrent_models.lstm(0, steps=steps, batches=2))
    export(open_run(path), "aot")
    assert ("network_reset" in capsys.readouterr().err) == (steps > 1)


def refused(model: bytes, *words: str) -> None:
    with pytest.raises(TinymlError) as caught:
        compiler.compile_graph(tflite_graph.parse(model), "m.tflite")
    assert caught.value.where == "m.tflite"
    assert all(word in caught.value.what for word in words), caught.value.what


def test_steps_of_an_unrolled_layer_share_their_weights(tmp_path: Path) -> None:
    model, weights = Model(), np.random.default_rng(0).integers(-127, 128, (2, 8, 8))
    x = y = model.tensor((1, 8), 0.1, 3)
    for step in (0, 0, 1, 0):
        own = model.tensor((8, 8), 0.02, data=weights[step])
        bias = model.tensor((8,), 0.002, dtype="int32", data=np.arange(8) * 90)
        y, source = model.tensor((1, 8), 0.1, 3), y
        model.operator("FULLY_CONNECTED", [source, own, bias], [y], "FullyConnectedOptions")
    data = model.build([x], [y])
    (network,) = build([data], tmp_path / "unrolled")
    assert emit.source(network.network).count("_weights[64] = ") == 2
    assert compare(data, network, seed=1) > 1
