"""Graphs of many operators on the emulated Cortex-M4: same bytes as TFLM."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_graphs, recurrent_models
from tests.engines.flatbuffer_models import Model
from tests.engines.network_builds import generate, random_inputs, run_sim, tflm_outputs
from tests.engines.test_states_and_boundaries import CASES as STATES
from tinyml_cli.tflite import graph as tflite_graph

SEEDS = (13, 15, 16, 28)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sim_operators")


@pytest.mark.parametrize("seed", SEEDS)
def test_outputs_equal_those_of_tflm(seed: int, builds: Path) -> None:
    model = random_graphs.large_model(seed)
    network = generate(model, builds / str(seed))
    inputs = random_inputs(network, 24, seed=4)
    expected = tflm_outputs(model, inputs)
    assert len(np.unique(expected, axis=0)) > 6, "the inputs do not tell outputs apart"
    np.testing.assert_array_equal(run_sim(network, builds / str(seed), inputs).outputs, expected)


@pytest.mark.parametrize("last", ["LOG_SOFTMAX", "ARG_MAX"])
def test_outputs_of_a_chain_equal_those_of_tflm(last: str, builds: Path) -> None:
    _same_as_tflm(chain(last), builds / last)


def chain(last: str) -> bytes:
    """An image enlarged in three ways, picked from, and multiplied by itself."""
    model, rng = Model(), np.random.default_rng(8)
    # The packed convolutions have no weights of -128.
    values = np.maximum(rng.integers(-128, 128, (6, 3, 3, 8)), -128 if last == "ARG_MAX" else -127)
    weights = model.tensor(values.shape, data=values, scales=rng.uniform(0.001, 0.003, 6))
    image, spread = model.tensor((1, 4, 5, 8), 0.05, 3), model.tensor((1, 8, 10, 6), 0.06, -7)
    given = [model.integers((1, 8, 10, 6)), weights, image]
    model.operator("TRANSPOSE_CONV", given, [spread], "TransposeConvOptions", padding=0, strideH=2, strideW=2)
    value = spread
    for name, size in (("NearestNeighbor", (9, 13)), ("Bilinear", (5, 7))):
        resized = model.tensor((1, *size, 6), 0.06, -7)
        operator = {"NearestNeighbor": "RESIZE_NEAREST_NEIGHBOR", "Bilinear": "RESIZE_BILINEAR"}[name]
        model.operator(
            operator, [value, model.integers(size)], [resized], f"Resize{name}Options", halfPixelCenters=True
        )
        value = resized
    picked, bent = model.tensor((1, 5, 7, 5), 0.06, -7), model.tensor((1, 5, 7, 5), 0.04, -90)
    model.operator("GATHER", [value, model.integers((0, 5, 2, 2, 1))], [picked], "GatherOptions", axis=3)
    model.operator("ELU", [picked], [bent])
    product = model.tensor((1, 5, 7, 7), 0.3, -60)
    model.operator("BATCH_MATMUL", [bent, bent], [product], "BatchMatMulOptions", adjY=True)
    if last == "LOG_SOFTMAX":
        answer = model.tensor((1, 5, 7, 7), 16 / 256, 127)
        model.operator("LOG_SOFTMAX", [product], [answer], "LogSoftmaxOptions")
    else:
        answer = model.tensor((1, 5, 7), None, dtype="int32")
        model.operator(
            "ARG_MAX", [product, model.integers(np.array(3))], [answer], "ArgMaxOptions", outputType=2
        )
    return model.build([image], [answer])


def test_a_stream_keeps_its_state(builds: Path) -> None:
    _same_as_tflm(STATES["stream_from_values"](), builds / "stream")


@pytest.mark.parametrize("state", ["int8", "int16"])
def test_svdf(state: str, builds: Path) -> None:
    model = recurrent_models.svdf(4, state=state, inputs=13, batches=2, outputs=5, rank=2, memory=8, gain=1.0)
    _same_as_tflm(model, builds / f"svdf_{state}")


@pytest.mark.parametrize("time_major", [False, True])
def test_lstm(time_major: bool, builds: Path) -> None:
    model = recurrent_models.lstm(1, time_major=time_major, inputs=7, units=6, batches=2, steps=5,
                                  gains=[0.7, 0.7], cell_power=-11, cell_clip=10.0)  # fmt: skip
    _same_as_tflm(model, builds / f"lstm_{time_major}")


def test_int16_activations(builds: Path) -> None:
    _same_as_tflm(int16_chain(), builds / "int16")


def int16_chain() -> bytes:
    """Every kernel of int16 activations, one after another."""
    model, rng = Model(), np.random.default_rng(3)

    def tensor(shape: tuple[int, ...], power: int) -> int:
        return model.tensor(shape, 2.0**power * 0.9, dtype="int16")

    def filtered(name: str, x: int, shape: tuple[int, ...], size: tuple[int, ...], **fields: int) -> int:
        data, channels = rng.integers(-127, 128, shape), size[-1]
        axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
        weights = model.tensor(shape, data=data, scales=rng.uniform(0.001, 0.002, channels), axis=axis)
        bias = model.tensor(
            (channels,), 1e-6, dtype="int64", data=rng.integers(-(1 << 24), 1 << 24, channels)
        )
        y = tensor(size, -13)
        given = [model.integers(size), weights, x, bias] if "TRANSPOSE" in name else [x, weights, bias]
        options = "".join(part.capitalize() for part in name.split("_")).replace("2d", "2D")
        model.operator(name, given, [y], options + "Options", **fields)
        return y

    strides = {"padding": 0, "strideH": 1, "strideW": 1}
    image = tensor((1, 5, 6, 3), -13)
    wide = filtered("CONV_2D", image, (7, 3, 3, 3), (1, 5, 6, 7), **strides)
    same = filtered("DEPTHWISE_CONV_2D", wide, (1, 3, 2, 7), (1, 5, 6, 7), **strides, depthMultiplier=1)
    leaky, added, product = (tensor((1, 5, 6, 7), -13) for _ in range(3))
    model.operator("LEAKY_RELU", [same], [leaky], "LeakyReluOptions", alpha=-0.3)
    model.operator("ADD", [leaky, wide], [added], "AddOptions")
    model.operator("MUL", [added, leaky], [product], "MulOptions")
    strides |= {"strideH": 2, "strideW": 2}
    spread = filtered("TRANSPOSE_CONV", product, (4, 3, 3, 7), (1, 10, 12, 4), **strides)
    pooled = tensor((1, 5, 6, 4), -13)
    model.operator(
        "AVERAGE_POOL_2D", [spread], [pooled], "Pool2DOptions", **strides, filterHeight=2, filterWidth=2
    )
    flat, bent = tensor((1, 120), -13), model.tensor((1, 120), 2.0**-15, dtype="int16")
    model.operator("RESHAPE", [pooled, model.integers((1, 120))], [flat], "ReshapeOptions", newShape=[1, 120])
    model.operator("TANH", [flat], [bent])
    logits = filtered("FULLY_CONNECTED", bent, (9, 120), (1, 9))
    answer = model.tensor((1, 9), 2.0**-15, dtype="int16")
    model.operator("SOFTMAX", [logits], [answer], "SoftmaxOptions", beta=1.0)
    return model.build([image], [answer])


def test_a_float_tail_has_the_bits_of_tflm(builds: Path) -> None:
    """Through every function that C libraries differ in, and sums that fused products would change."""
    made, rng = Model(), np.random.default_rng(4)

    def real(size: int) -> int:
        return made.tensor((1, size), dtype="float32")

    given, values, sums = made.tensor((1, 24), 0.07, -9), real(24), real(10)
    made.operator("DEQUANTIZE", [given], [values], "DequantizeOptions")
    weights = made.tensor((10, 24), dtype="float32", data=rng.normal(size=(10, 24)))
    made.operator("FULLY_CONNECTED", [values, weights, -1], [sums], "FullyConnectedOptions")
    parts = [sums]
    for name, options in (("ELU", ""), ("TANH", ""), ("LOGISTIC", ""), ("EXP", ""),
                          ("LOG_SOFTMAX", "LogSoftmaxOptions"), ("SOFTMAX", "SoftmaxOptions")):  # fmt: skip
        parts.append(real(10))
        made.operator(name, [sums], [parts[-1]], options, **({"beta": 1.0} if name == "SOFTMAX" else {}))
    joined = real(10 * len(parts))
    made.operator("CONCATENATION", parts, [joined], "ConcatenationOptions", axis=1)
    model = made.build([given], [joined])
    network = generate(model, builds / "float")
    inputs = random_inputs(network, 12, seed=2)
    expected = tflm_outputs(model, inputs).view(np.int8)
    np.testing.assert_array_equal(run_sim(network, builds / "float", inputs).outputs, expected)


def _same_as_tflm(model: bytes, folder: Path) -> None:
    network = generate(model, folder)
    inputs = random_inputs(network, 12, seed=7)
    expected = tflm_outputs(model, inputs.view(network.input.dtype))
    assert len(np.unique(expected, axis=0)) > 6, "the inputs do not tell outputs apart"
    np.testing.assert_array_equal(run_sim(network, folder, inputs).outputs, expected.view(np.int8))


def test_the_graphs_hold_most_operators() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        graph = tflite_graph.parse(random_graphs.large_model(seed))
        counts.update(operator.name for operator in graph.operators)
    assert len(counts) >= 24, counts
