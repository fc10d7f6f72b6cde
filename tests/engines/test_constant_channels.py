"""Channels that no input changes are removed, and all other bytes stay those of TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import assert_parity
from tinyml_cli.engines.aot import compiler
from tinyml_cli.engines.aot.constant_channels import without_constant_channels
from tinyml_cli.tflite.graph import Graph, parse, total_macs

SAME, VALID = 0, 1


class Chain:
    """Layers one after another, a part of whose filters are dead."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([23, seed])
        self.model = Model()
        self.shape = (
            1,
            int(self.rng.integers(3, 8)),
            int(self.rng.integers(3, 8)),
            int(self.rng.choice([3, 8])),
        )
        self.zero = int(self.rng.choice([-128, -128, 0, 9]))
        self.first = self.value = self.model.tensor(self.shape, 0.05, self.zero)

    def build(self) -> bytes:
        self.convolution(int(self.rng.choice([7, 12, 16])), 1)
        self.depthwise(int(self.rng.choice([1, 2])), int(self.rng.choice([SAME, VALID])))
        self.convolution(int(self.rng.choice([5, 12])), int(self.rng.choice([1, 1, 3])))
        if self.rng.random() < 0.5:
            self.depthwise(1, SAME)
        self.pool()
        self.dense(9)
        self.dense(4)
        return self.model.build([self.first], [self.value])

    def layer(
        self, name: str, shape: tuple[int, ...], axis: int, target: tuple[int, ...], **options: int
    ) -> None:
        weights = self.rng.integers(-127, 128, shape)
        channels = shape[axis]
        scales = self.rng.uniform(0.5, 2, channels) / (64 * np.sqrt(weights.size / channels))
        bias = self.rng.integers(-900, 900, channels)
        # Weights of 0 with any constant, or a bias that no input can lift above the lowest output.
        for channel in np.flatnonzero(self.rng.random(channels) < 0.4):
            if self.rng.random() < 0.5:
                weights[(slice(None),) * axis + (channel,)] = 0
                scales[channel] = self.rng.choice([1e-9, 0.002])
            else:
                bias[channel] = -10_000_000
        self.zero = int(self.rng.choice([-128, -128, 3]))
        inputs = [
            self.value,
            self.model.tensor(shape, None, dtype="int8", data=weights, scales=scales, axis=axis),
            self.model.tensor((channels,), None, dtype="int32", data=bias, scales=scales * 0.05),
        ]
        output = self.model.tensor(target, 0.05, self.zero)
        table = "FullyConnectedOptions" if name == "FULLY_CONNECTED" else f"{TABLES[name]}Options"
        activation = int(self.rng.choice([0, 1, 3]))
        self.model.operator(name, inputs, [output], table, fusedActivationFunction=activation, **options)
        self.value, self.shape = output, target

    def convolution(self, channels: int, size: int) -> None:
        target = (*self.shape[:3], channels)
        shape = (channels, size, size, self.shape[3])
        self.layer("CONV_2D", shape, 0, target, padding=SAME, strideH=1, strideW=1)

    def depthwise(self, stride: int, padding: int) -> None:
        channels = self.shape[3]
        lost = 0 if padding == SAME else 2
        height, width = (-(-(size - lost) // stride) for size in self.shape[1:3])
        self.layer(
            "DEPTHWISE_CONV_2D", (1, 3, 3, channels), 3, (1, height, width, channels),
            padding=padding, strideH=stride, strideW=stride, depthMultiplier=1,
        )  # fmt: skip

    def pool(self) -> None:
        height, width, channels = self.shape[1:]
        pooled = self.model.tensor((1, 1, 1, channels), 0.05, self.zero)
        self.model.operator(
            str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), [self.value], [pooled], "Pool2DOptions",
            padding=VALID, strideH=1, strideW=1, filterHeight=height, filterWidth=width,
        )  # fmt: skip
        flat = self.model.tensor((1, channels), 0.05, self.zero)
        size = self.model.integers([1, channels])
        self.model.operator("RESHAPE", [pooled, size], [flat], "ReshapeOptions", newShape=[1, channels])
        self.value, self.shape = flat, (1, channels)

    def dense(self, outputs: int) -> None:
        self.layer("FULLY_CONNECTED", (outputs, self.shape[1]), 0, (1, outputs))


TABLES = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D"}


def test_other_bytes_stay(tmp_path: Path) -> None:
    models = {seed: Chain(seed).build() for seed in range(24)}
    smaller = [total_macs(compiler.compile_graph(parse(model)).graph) for model in models.values()]
    whole = [total_macs(parse(model)) for model in models.values()]
    assert sum(a < b for a, b in zip(smaller, whole, strict=True)) > 12, (smaller, whole)
    assert_parity(models, tmp_path)


def test_half_of_the_person_detector_does_not_depend_on_the_picture(shared: Path) -> None:
    graph = parse((shared / "models" / "vww_96_int8.tflite").read_bytes())
    reduced = without_constant_channels(graph)
    assert (total_macs(graph), total_macs(reduced)) == (7_489_664, 3_978_876)


@pytest.mark.parametrize("use", ["output", "add"])
def test_channels_that_go_elsewhere_stay(use: str) -> None:
    chain = Chain(0)
    chain.convolution(8, 1)
    between = chain.value
    chain.convolution(4, 1)
    outputs = [chain.value]
    if use == "output":
        outputs.append(between)
    else:
        outputs.append(chain.model.tensor(chain.model.graph.tensors[between].shape, 0.1))
        chain.model.operator("ADD", [between, between], [outputs[1]], "AddOptions")
    graph = parse(chain.model.build([chain.first], outputs))
    assert _shapes(without_constant_channels(graph)) == _shapes(graph)


def _shapes(graph: Graph) -> list[tuple[int, ...]]:
    return [graph.tensors[index].shape for operator in graph.operators for index in operator.outputs]
