"""The networks for keyword spotting: what they are made of, and that every runtime gives the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.many_networks import build, compare
from tinyml_cli.errors import TinymlError
from tinyml_cli.models import build_model, count_macs
from tinyml_cli.tflite import graph as tflite_graph

SHAPE, LABELS = (49, 40, 1), 4
# At most: bytes of the int8 flatbuffer.
LARGEST = {
    "ds_cnn": 28_000,
    "tiny_conv": 20_000,
    "conv1d_sep": 36_000,
    "bc_resnet": 26_000,
    "stream_ds_cnn": 28_000,
}
PLAIN = {"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "ADD", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"}


@pytest.fixture(scope="module")
def converted() -> dict[str, tuple[Any, bytes]]:
    keras = pytest.importorskip("keras", reason="TensorFlow makes the models of this test")
    from tinyml_cli.conversion.convert import to_flatbuffers
    from tinyml_cli.models.source import open_source

    made = {}
    samples = np.random.default_rng(1).uniform(0, 26, (16, *SHAPE)).astype(np.float32)
    for seed, name in enumerate(LARGEST):
        keras.utils.set_random_seed(seed)
        model = build_model(name, SHAPE, LABELS, {})
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model.keras")
            source = open_source(Path(folder) / "model.keras")
            made[name] = (model, to_flatbuffers(source, [samples]).int8)
    return made


@pytest.mark.parametrize("name", LARGEST)
def test_it_is_small_and_of_plain_operators(name: str, converted: dict[str, tuple[Any, bytes]]) -> None:
    model, flatbuffer = converted[name]
    graph = tflite_graph.parse(flatbuffer)
    assert {operator.name for operator in graph.operators} <= PLAIN
    assert len(flatbuffer) <= LARGEST[name]
    assert model.output_shape == (None, LABELS)
    assert 300_000 < count_macs(model) < 3_000_000


def test_outputs_equal_those_of_tflm(converted: dict[str, tuple[Any, bytes]], tmp_path: Path) -> None:
    models = [flatbuffer for _, flatbuffer in converted.values()]
    for model, network in zip(models, build(models, tmp_path), strict=True):
        compare(model, network, seed=3, runs=8)


def test_a_wrong_option_is_named() -> None:
    pytest.importorskip("keras", reason="TensorFlow makes the models of this test")
    with pytest.raises(TinymlError, match="fliters"):
        build_model("tiny_conv", SHAPE, LABELS, {"fliters": 3})
