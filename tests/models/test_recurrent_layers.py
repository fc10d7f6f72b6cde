"""Recurrent Keras layers: one operator for a stateful LSTM, steps one after another for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import build, compare
from tinyml_cli.conversion.convert import to_flatbuffers
from tinyml_cli.models.source import open_source
from tinyml_cli.quantization.cell_clip import without_cell_clip
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret

_FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def _saved(path: Path, *layers: Any, steps: int = 5) -> Path:
    import keras

    keras.utils.set_random_seed(3)
    given = keras.Input((steps, 4), batch_size=1)
    keras.Sequential([given, *layers, keras.layers.Dense(3, activation="softmax")]).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("LSTM", {"stateful": True}, "one operator"),
        ("LSTM", {}, "one after another"),
        ("LSTM", {"stateful": True, "go_backwards": True}, "one after another, with a state"),
        ("LSTM", {"stateful": True, "activation": "relu"}, "one after another, with a state"),
        ("GRU", {"stateful": True}, "one after another, with a state"),
    ],
)
def test_what_becomes_of_a_layer_is_said(
    name: str, options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    import keras

    layer = getattr(keras.layers, name)(2, name="memory", **options)
    source = open_source(_saved(tmp_path / "m.keras", layer))
    assert words in source.recurrence()["memory"]


def test_a_clipped_cell_is_freed() -> None:
    made = Model()
    x, y = made.tensor((1, 2, 3), dtype="float32"), made.tensor((1, 2, 4), dtype="float32")
    inputs = [x, *[-1] * 23]
    made.operator(_FUSED, inputs, [y], "UnidirectionalSequenceLSTMOptions", cellClip=10.0)
    freed = tflite_graph.parse(without_cell_clip(made.build([x], [y])))
    assert freed.operators[0].options["cell_clip"] == 0
    other = Model()
    x, y = other.tensor((1, 3)), other.tensor((1, 3))
    other.operator("ABS", [x], [y])
    model = other.build([x], [y])
    assert without_cell_clip(model) is model


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "both"])
def test_a_stream_stays_a_stream(kind: str, tmp_path: Path) -> None:
    """float32 equals Keras, int8 is near, and aot gives TensorFlow Lite Micro's bytes, step after step."""
    import keras

    layers = {
        "LSTM": [keras.layers.LSTM(32, stateful=True)],
        "GRU": [keras.layers.GRU(32, stateful=True)],
        "both": [
            keras.layers.LSTM(9, stateful=True, return_sequences=True, use_bias=False),
            keras.layers.GRU(7, stateful=True, reset_after=False),
        ],
    }[kind]
    samples = np.random.default_rng(1).normal(size=(60, 5, 4)).astype(np.float32)
    source = open_source(_saved(tmp_path / "m.keras", *layers))
    converted = to_flatbuffers(source, [samples])
    (expected,) = source.predict([samples])
    np.testing.assert_array_equal(source.predict([samples])[0], expected)
    graph = tflite_graph.parse(converted.int8)
    names = {operator.name for operator in graph.operators}
    assert (_FUSED in names, "ASSIGN_VARIABLE" in names) == (kind != "GRU", kind != "LSTM")
    floats = interpret.run_float(converted.float32, samples)
    np.testing.assert_allclose(floats.reshape(expected.shape), expected, atol=1e-5)
    (network,) = build([converted.int8], tmp_path / "aot")
    assert compare(converted.int8, network, seed=3, runs=20) > 1
    network.reset()
    grid, out = (graph.tensors[each[0]].quantization for each in (graph.inputs, graph.outputs))
    quantised = np.clip(np.round(samples / grid.scales[0]) + grid.zero_points[0], -128, 127).astype(np.int8)
    answers = np.array([network.run([step[None]])[0].reshape(-1) for step in quantised], np.float32)
    assert np.abs((answers - out.zero_points[0]) * out.scales[0] - expected).max() < 0.03
