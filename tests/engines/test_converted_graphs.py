"""Keras graphs with branches, and random ones, through TensorFlow's converter: aot gives TFLM's bytes.

TINYML_CONVERTED_GRAPHS says how many random ones, TINYML_RANDOM_SEED where they begin.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engines.many_networks import Built, build, compare
from tinyml_cli.tflite import graph as tflite_graph


def residual(k: Any) -> tuple[Any, Any]:
    x = k.Input((12, 10, 3), batch_size=1)
    stem = k.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    y = k.layers.Conv2D(8, 3, padding="same", activation="relu6")(stem)
    y = k.layers.Conv2D(8, 3, padding="same", groups=2)(y)
    y = k.layers.ReLU()(k.layers.Add()([stem, y]))
    wide = k.layers.Conv2D(16, 1, strides=2)(y)
    narrow = k.layers.MaxPooling2D(2, padding="same")(y)
    y = k.layers.Concatenate()([wide, narrow])
    return x, k.layers.Dense(4, activation="softmax")(k.layers.GlobalAveragePooling2D()(y))


def gated(k: Any) -> tuple[Any, Any]:
    """Squeeze and excitation between hard-swish layers, as in MobileNetV3."""
    x = k.Input((9, 9, 4), batch_size=1)
    y = k.layers.Activation("hard_swish")(k.layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    gate = k.layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = k.layers.Conv2D(8, 1, activation="sigmoid")(k.layers.Conv2D(3, 1, activation="relu")(gate))
    y = k.layers.Multiply()([y, gate])
    y = k.layers.LeakyReLU(negative_slope=0.2)(k.layers.Conv2D(6, 1)(y))
    return x, k.layers.Dense(1, activation="sigmoid")(k.layers.Flatten()(y))


def gesture(k: Any) -> tuple[Any, Any]:
    """Conv1D over time, padded, permuted and cropped; EXPAND_DIMS and SQUEEZE come with it."""
    x = k.Input((24, 6), batch_size=1)
    y = k.layers.ZeroPadding1D((2, 1))(x)
    y = k.layers.Conv1D(8, 3, strides=2, activation="relu")(y)
    y = k.layers.Conv1D(8, 3, dilation_rate=2, padding="causal", activation="tanh")(y)
    y = k.layers.Cropping1D((1, 2))(y)
    y = k.layers.Permute((2, 1))(y)
    y = k.layers.Subtract()([y, k.layers.Dense(10)(y)])
    return x, k.layers.Dense(3, activation="softmax")(k.layers.Flatten()(y))


def open_batch(k: Any) -> tuple[Any, Any]:
    """An open batch size: the converter writes SHAPE, STRIDED_SLICE and PACK before RESHAPE."""
    x = k.Input((6, 5, 2))
    y = k.layers.Conv2D(4, 3, activation="relu")(x)
    return x, k.layers.Dense(2, activation="softmax")(k.layers.Flatten()(y))


class RandomGraph:
    """A small network of random layers, some of them in two branches that meet again."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([20, seed])

    def __call__(self, k: Any) -> tuple[Any, Any]:
        height, width, channels = (
            int(self.rng.integers(low, high)) for low, high in ((7, 15), (7, 15), (1, 7))
        )
        x = k.Input((height, width, channels), batch_size=1)
        y = self.convolve(k, x)
        for _ in range(self.rng.integers(2, 5)):
            layer = self.pick(self.convolve, self.depthwise, self.pool, self.branch, self.activate, self.pad)
            y = layer(k, y) if min(y.shape[1:3]) >= 3 else self.activate(k, y)
        y = k.layers.Flatten()(y) if self.rng.random() < 0.5 else k.layers.GlobalAveragePooling2D()(y)
        return x, k.layers.Dense(int(self.rng.integers(1, 6)), activation=self.pick("softmax", "tanh", None))(
            y
        )

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def convolve(self, k: Any, y: Any, strides: int | None = None) -> Any:
        return k.layers.Conv2D(
            int(self.rng.integers(1, 17)),
            (int(self.rng.integers(1, 4)), int(self.rng.integers(1, 4))),
            strides=strides or self.pick(1, 1, 2),
            padding=self.pick("same", "valid"),
            activation=self.pick(None, "relu", "relu6"),
            use_bias=self.pick(True, False),
        )(y)

    def depthwise(self, k: Any, y: Any) -> Any:
        size, multiplier = self.pick(2, 3, 3), self.pick(1, 1, 2)
        padding = self.pick("same", "valid")
        return k.layers.DepthwiseConv2D(size, self.pick(1, 2), padding, multiplier)(y)

    def pool(self, k: Any, y: Any) -> Any:
        kind = self.pick(k.layers.MaxPooling2D, k.layers.AveragePooling2D)
        return kind(2, self.pick(1, 2), self.pick("same", "valid"))(y)

    def branch(self, k: Any, y: Any) -> Any:
        other = k.layers.Conv2D(y.shape[-1], 1, activation=self.pick(None, "sigmoid", "relu"))(y)
        kinds = (k.layers.Add, k.layers.Subtract, k.layers.Multiply, k.layers.Concatenate, k.layers.Maximum)
        return self.pick(*kinds)()([y, other])

    def activate(self, k: Any, y: Any) -> Any:
        return k.layers.Activation(self.pick("relu", "relu6", "hard_swish", "sigmoid", "tanh"))(y)

    def pad(self, k: Any, y: Any) -> Any:
        return k.layers.ZeroPadding2D(((0, 1), (2, 0)))(y)


GRAPHS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "residual": residual,
    "gated": gated,
    "gesture": gesture,
    "open_batch": open_batch,
}
TYPES = {"gated": "uint8", "gesture": "float32"}
_FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))
RANDOM = range(_FIRST, _FIRST + int(os.environ.get("TINYML_CONVERTED_GRAPHS", "6")))
GRAPHS |= {f"random_{seed}": RandomGraph(seed) for seed in RANDOM}


def convert(name: str) -> bytes:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow makes the models of this test")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    network = keras.Model(*GRAPHS[name](keras))
    rng = np.random.default_rng(4)
    shape = (1, *network.inputs[0].shape[1:])
    samples = rng.normal(0, 1, (16, *shape)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, TYPES.get(name, "int8"))
    return bytes(converter.convert())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Built]]:
    models = {name: convert(name) for name in GRAPHS}
    networks = build(list(models.values()), tmp_path_factory.mktemp("converted") / "all")
    return {name: (model, network) for (name, model), network in zip(models.items(), networks, strict=True)}


@pytest.mark.parametrize("name", GRAPHS)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built[name]
    # Random weights may leave few of the last layer's outputs alive.
    fewest = 1 if name.startswith("random") else 8
    assert compare(model, network, seed=6, runs=16) > fewest, [
        operator.name for operator in tflite_graph.parse(model).operators
    ]


def test_an_open_batch_leaves_no_shape_arithmetic(built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built["open_batch"]
    before = {operator.name for operator in tflite_graph.parse(model).operators}
    after = {operator.name for operator in network.network.graph.operators}
    assert "SHAPE" in before and not after & {"SHAPE", "PACK", "STRIDED_SLICE"}
