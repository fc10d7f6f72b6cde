"""Small int8 models with random weights, converted once per test session."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model

NAMES = (
    "ds_cnn",
    "mean_relu6_odd_channels",
    "valid_strided_multiplied",
    "one_channel_depthwise",
    "dense_per_channel",
    "dilated_pooled",
    "tall_and_thin",
)


@functools.cache
def model(name: str) -> bytes:
    """The .tflite of one of NAMES."""
    return _convert(_LAYERS[name], per_channel_dense=name == "dense_per_channel")


@functools.cache
def float_model() -> bytes:
    """A model that was not quantised."""
    return _convert(_ds_cnn, quantized=False)


@functools.cache
def hybrid_model() -> bytes:
    """A model with int8 weights and float activations."""
    return _convert(_big_dense, quantized=False, hybrid=True)


@functools.cache
def unsupported_model() -> bytes:
    """A full int8 model with an operator that the aot engine lacks (CUMSUM)."""
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 4))
    made.operator("CUMSUM", [x, made.integers(np.array(1))], [y], "CumsumOptions")
    return made.build([x], [y])


def _convert(
    layers: Callable[[Any], tuple[tuple[int, ...], list[Any]]],
    *,
    quantized: bool = True,
    hybrid: bool = False,
    per_channel_dense: bool = False,
) -> bytes:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow makes the models of this test")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(7)
    shape, stack = layers(keras.layers)
    network = keras.Sequential([keras.Input(shape, batch_size=1), *stack])
    rng = np.random.default_rng(11)
    for weight in network.weights:
        # Larger than freshly initialised ones, so that outputs tell inputs apart.
        spread = 0.2 if weight.path.endswith("bias") else 2.5 * float(np.std(weight.numpy()))
        weight.assign(rng.normal(0, spread, weight.shape))
    call = tf.function(network, input_signature=[tf.TensorSpec((1, *shape), tf.float32)], autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()])
    return _quantize(tf, converter, rng, shape, quantized, hybrid, per_channel_dense)


def _quantize(
    tf: Any,
    converter: Any,
    rng: np.random.Generator,
    shape: tuple[int, ...],
    quantized: bool,
    hybrid: bool,
    per_channel_dense: bool,
) -> bytes:
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel_dense
    if quantized or hybrid:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantized:
        samples = rng.normal(0, 1, (24, 1, *shape)).astype(np.float32)
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _ds_cnn(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    block = [
        layer
        for _ in range(2)
        for layer in (
            k.DepthwiseConv2D(3, padding="same", activation="relu"),
            k.Conv2D(16, 1, activation="relu"),
        )
    ]
    first = k.Conv2D(16, (10, 4), strides=2, padding="same", activation="relu")
    last = [k.AveragePooling2D((13, 5)), k.Flatten(), k.Dense(4, activation="softmax")]
    return (25, 10, 1), [first, *block, *last]


def _mean_relu6_odd_channels(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (9, 11, 3), [
        k.Conv2D(7, 3, strides=2, padding="same", activation="relu6"),
        k.DepthwiseConv2D(3, strides=2, padding="same", activation="relu6", use_bias=False),
        k.Conv2D(5, 1, use_bias=False),
        k.GlobalAveragePooling2D(keepdims=True),
        k.Conv2D(6, 1, activation="relu6"),
        k.Flatten(),
        k.Dense(3, use_bias=False),
        k.Softmax(),
    ]


def _valid_strided_multiplied(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (12, 10, 4), [
        k.DepthwiseConv2D((5, 4), padding="same", activation="relu"),
        k.DepthwiseConv2D(3, depth_multiplier=2, padding="valid"),
        k.Conv2D(9, 1, strides=2, activation="relu"),
        k.GlobalAveragePooling2D(),
        k.Dense(5),
    ]


def _one_channel_depthwise(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (49, 40, 1), [
        k.DepthwiseConv2D((10, 8), strides=2, depth_multiplier=8, padding="same", activation="relu"),
        k.Flatten(),
        k.Dense(4, activation="softmax"),
    ]


def _dense_per_channel(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (37,), [
        k.Dense(19, activation="relu"),
        k.Dense(8, activation="relu6"),
        k.Dense(5, activation="softmax"),
    ]


def _dilated_pooled(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (14, 13, 2), [
        k.Conv2D(6, 3, dilation_rate=2, padding="valid", activation="relu"),
        k.AveragePooling2D(3, strides=2, padding="same"),
        k.Conv2D(4, (1, 3), padding="same"),
        k.AveragePooling2D(2),
        k.Flatten(),
        k.Dense(2, activation="softmax"),
    ]


def _tall_and_thin(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (33, 1, 5), [
        k.Conv2D(8, (4, 1), strides=(3, 1), padding="same", activation="relu"),
        k.DepthwiseConv2D((3, 1), padding="same"),
        k.DepthwiseConv2D(3, padding="same", activation="relu"),
        k.Flatten(),
        k.Dense(3),
    ]


def _big_dense(k: Any) -> tuple[tuple[int, ...], list[Any]]:
    return (64,), [k.Dense(64, activation="relu"), k.Dense(4)]


_LAYERS = {
    "ds_cnn": _ds_cnn,
    "mean_relu6_odd_channels": _mean_relu6_odd_channels,
    "valid_strided_multiplied": _valid_strided_multiplied,
    "one_channel_depthwise": _one_channel_depthwise,
    "dense_per_channel": _dense_per_channel,
    "dilated_pooled": _dilated_pooled,
    "tall_and_thin": _tall_and_thin,
}
