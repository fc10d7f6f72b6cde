"""Single-operator models of many shapes, lowered, with what TensorFlow Lite Micro makes of random inputs."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tests.engines.flatbuffer_models import Model
from tests.engines.network_builds import tflm_outputs
from tinyml_cli.engines.aot import compiler
from tinyml_cli.engines.aot.kernel import Kernel
from tinyml_cli.tflite import graph as tflite_graph

KINDS = (
    "tinyml_nn_convolve_s8",
    "tinyml_nn_convolve_1x1_s8",
    "tinyml_nn_depthwise_3x3_s8",
    "tinyml_nn_fully_connected_s8",
    "tinyml_nn_depthwise_s8",
    "tinyml_nn_depthwise_line_s8",
    "tinyml_nn_average_pool_s8",
    "tinyml_nn_max_pool_s8",
    "tinyml_nn_convolve_plain_s8",
    "tinyml_nn_depthwise_plain_s8",
    "tinyml_nn_fully_connected_plain_s8",
)
INPUTS = 4


@dataclass(frozen=True)
class Shape:
    """One operator: CONV_2D, DEPTHWISE_CONV_2D or a pool (depth multiplier `outputs`), or FULLY_CONNECTED."""

    operator: str
    image: tuple[int, int, int]
    outputs: int
    window: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-128, -128)
    weights: str = "uniform"
    gain: float = 1.0
    per_channel: bool = True

    def output_shape(self) -> tuple[int, ...]:
        """Of the output tensor."""
        if self.operator == "FULLY_CONNECTED":
            return (self.image[0], self.outputs)
        channels = self.outputs * (1 if self.operator == "CONV_2D" else self.image[2])
        sizes = []
        for size, window, stride, dilation in zip(
            self.image[:2], self.window, self.stride, self.dilation, strict=True
        ):
            reach = (window - 1) * dilation + 1
            sizes.append(-(-size // stride) if self.padding == "SAME" else (size - reach) // stride + 1)
        return (1, *sizes, channels)


@dataclass(frozen=True)
class Case:
    """A lowered shape, its inputs and the outputs that are right."""

    shape: Shape
    model: bytes
    kernel: Kernel
    inputs: np.ndarray
    expected: np.ndarray

    @property
    def function(self) -> str:
        """The C function that the lowering chose."""
        found = re.search(r"\b(tinyml_nn_\w+_s8)\(", self.kernel.body)
        assert found, self.kernel.body
        return found[1]

    def record(self, number: int) -> bytes:
        """The case as kernel_harness/main.c reads it."""
        arrays = {constant.role: np.ascontiguousarray(constant.values) for constant in self.kernel.constants}
        initialiser = re.search(r"= \{\n(.*?)\};", self.kernel.body, re.S)
        assert initialiser
        dense = self.function == "tinyml_nn_fully_connected_s8"
        kept = [
            np.array(_in_order(initialiser[1]), np.int32).tobytes(),
            arrays["weights"].tobytes() if "weights" in arrays else b"",
            arrays["bias" if dense else "channels"].tobytes() if arrays else b"",
            arrays["scales"].tobytes() if dense else b"",
        ]
        sizes = [len(data) for data in kept]
        header = [
            *(KINDS.index(self.function), bool(self.kernel.may_overwrite), len(self.inputs), number % 4),
            *sizes,
            *(self.inputs.shape[1], self.kernel.scratch_bytes, self.expected.shape[1]),
        ]
        return np.array(header, np.int32).tobytes() + b"".join(kept) + self.inputs.tobytes()


def _in_order(initialiser: str) -> list[int]:
    """The numbers of a designated initialiser that names every field in order."""
    return [int(text) for text in re.findall(r"(?<![\w.])-?\d+\b", initialiser)]


def make(shape: Shape, seed: int) -> Case:
    """Random weights, biases and scales, so that most outputs lie within int8 when the gain is 1."""
    rng = np.random.default_rng(seed)
    model = _pool(shape) if shape.operator.endswith("POOL_2D") else _model(shape, rng)
    network = compiler.compile_graph(tflite_graph.parse(model))
    values = int(np.prod(shape.image))
    inputs = rng.integers(-128, 128, (INPUTS, values)).astype(np.int8)
    inputs[1] = np.where(inputs[1] < 0, -128, 127)
    inputs[2] = -128 if seed % 2 else 127
    kernel = network.steps[0].kernel
    return Case(shape, model, kernel, inputs, tflm_outputs(model, inputs).reshape(INPUTS, -1))


def _pool(shape: Shape) -> bytes:
    model = Model()
    schema = model.schema
    source = model.tensor((1, *shape.image), 2.0**-4, shape.zero_points[0])
    output = model.tensor(shape.output_shape(), 2.0**-4, shape.zero_points[0])
    model.operator(
        shape.operator,
        [source],
        [output],
        "Pool2DOptions",
        padding=getattr(schema.Padding, shape.padding),
        strideH=shape.stride[0],
        strideW=shape.stride[1],
        filterHeight=shape.window[0],
        filterWidth=shape.window[1],
        fusedActivationFunction=getattr(schema.ActivationFunctionType, shape.activation),
    )
    return model.build([source], [output])


def _model(shape: Shape, rng: np.random.Generator) -> bytes:
    model = Model()
    target = shape.output_shape()
    channels, depthwise = target[-1], shape.operator == "DEPTHWISE_CONV_2D"
    inputs = shape.image[2] if not depthwise else 1
    window = () if shape.operator == "FULLY_CONNECTED" else shape.window
    elements = int(np.prod(window, dtype=int)) * inputs
    weights = _weights(shape, rng, (channels, elements))
    # Sums spread by about 75 * 75 * sqrt(elements); an output counts 1 / 40 of that.
    scales = rng.uniform(0.5, 2.0, channels if shape.per_channel else 1) * shape.gain
    output_scale = 75 * 75 * np.sqrt(elements) / 40 * 2.0**-10
    bias = rng.integers(-20_000, 20_000, channels)
    stored = weights.reshape(channels, *window, inputs)
    if depthwise:
        stored = np.moveaxis(stored, 0, -1).reshape(1, *window, channels)
    elif not window:
        stored = weights
    image = (shape.image[0], shape.image[2]) if not window else (1, *shape.image)
    source = model.tensor(image, 2.0**-4, shape.zero_points[0])
    axis = 3 if depthwise else 0
    given = [
        source,
        model.tensor(stored.shape, data=stored, scales=scales * 2.0**-6, axis=axis),
        model.tensor((channels,), dtype="int32", data=bias, scales=scales * 2.0**-10),
    ]
    output = model.tensor(target, float(output_scale), shape.zero_points[1])
    _operator(model, shape, given, output)
    return model.build([source], [output])


def _weights(shape: Shape, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    if shape.weights == "extreme":
        return rng.choice(np.array([-127, 127], np.int8), size)
    weights = rng.integers(-127, 128, size).astype(np.int8)
    if shape.weights == "largest":
        weights[:] = 127
    elif shape.weights == "dead":
        weights[::2] = 0
    elif shape.weights == "minus_128":
        weights[0, 0] = -128
    return weights


def _operator(model: Model, shape: Shape, given: list[int], output: int) -> None:
    schema = model.schema
    activation = getattr(schema.ActivationFunctionType, shape.activation)
    if shape.operator == "FULLY_CONNECTED":
        model.operator(
            shape.operator, given, [output], "FullyConnectedOptions", fusedActivationFunction=activation
        )
        return
    fields = {
        "padding": getattr(schema.Padding, shape.padding),
        "strideH": shape.stride[0],
        "strideW": shape.stride[1],
        "dilationHFactor": shape.dilation[0],
        "dilationWFactor": shape.dilation[1],
        "fusedActivationFunction": activation,
    }
    if shape.operator == "CONV_2D":
        model.operator(shape.operator, given, [output], "Conv2DOptions", **fields)
    else:
        fields["depthMultiplier"] = shape.outputs
        model.operator(shape.operator, given, [output], "DepthwiseConv2DOptions", **fields)
