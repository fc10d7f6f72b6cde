"""Random models of one operator on int16 activations: shapes and scales at their extremes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.engines.random_operators import RandomOperator


class Int16Operator(RandomOperator):
    """Makes models of one operator whose activations are int16."""

    def wide(self, shape: tuple[int, ...], scale: float | None = None, data: np.ndarray | None = None) -> int:
        """An int16 tensor with zero point 0."""
        return self.model.tensor(shape, scale or self.scale(1e-6, 1e-2), dtype="int16", data=data)

    def filters(self, shape: tuple[int, ...], axis: int) -> tuple[int, np.ndarray]:
        """int8 weights and their scales, per channel or per tensor."""
        channels = shape[axis] if self.chance(0.7) else 1
        scales = np.exp(self.rng.uniform(-8, -2, channels)).astype(np.float32)
        return self.model.tensor(shape, data=self.values(shape), scales=scales, axis=axis), scales

    def bias(self, channels: int, grid: float, scales: np.ndarray, types: tuple[str, ...]) -> list[int]:
        """None, or a bias of one of some types."""
        dtype = types[self.pick(*range(len(types)))]
        if dtype == "none":
            return []
        limit = {"int16": 1 << 15, "int32": 1 << 24, "int64": 1 << self.pick(22, 22, 33)}[dtype]
        data = self.rng.integers(-limit, limit, channels)
        wide = np.resize(scales, channels) * np.float32(grid)
        return [self.model.tensor((channels,), dtype=dtype, data=data, scales=wide)]

    def target(self, shape: tuple[int, ...], grid: float, scales: np.ndarray, values: int) -> int:
        """An output on whose scale sums neither vanish nor saturate everywhere."""
        spread = float(scales.max()) * grid * 19000 * 70 * math.sqrt(values)
        return self.wide(shape, spread / self.rng.uniform(3_000, 60_000))

    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, int], tuple[int, ...]]:
        """Image and window (height, width), their options, the output's size."""
        window, stride, dilation = self.shape(2, 5), self.shape(2, 3), self.shape(2, 2)
        valid = self.chance()
        reach = [(size - 1) * step + 1 for size, step in zip(window, dilation, strict=True)]
        image = tuple(self.pick(size, 1 if not valid else size, size + 4) for size in reach)
        size = tuple(
            (own - far) // step + 1 if valid else -(-own // step)
            for own, far, step in zip(image, reach, stride, strict=True)
        )
        options = {
            "padding": int(valid), "strideH": stride[0], "strideW": stride[1],
            "dilationHFactor": dilation[0], "dilationWFactor": dilation[1],
            "fusedActivationFunction": self.pick(0, 0, 1, 2, 3),
        }  # fmt: skip
        return image, window, options, size

    def conv_2d(self) -> bytes:
        """CONV_2D, in groups now and then."""
        image, window, options, size = self.geometry()
        groups, share = self.pick(1, 1, 2), self.pick(1, 3, 4, 9)
        channels, outputs = groups * share, groups * self.pick(1, 2, 3)
        x_scale = self.scale(1e-6, 1e-3)
        x = self.wide((1, *image, channels), x_scale)
        weights, scales = self.filters((outputs, *window, share), 0)
        bias = self.bias(outputs, x_scale, scales, ("int32", "int64", "none"))
        y = self.target((1, *size, outputs), x_scale, scales, math.prod(window) * share)
        self.model.operator(self.name, [x, weights, *bias], [y], "Conv2DOptions", **options)
        return self.model.build([x], [y])

    def depthwise_conv_2d(self) -> bytes:
        """DEPTHWISE_CONV_2D of one or more filters per channel."""
        image, window, options, size = self.geometry()
        channels, multiplier = self.pick(1, 2, 5), self.pick(1, 1, 3)
        outputs, x_scale = channels * multiplier, self.scale(1e-6, 1e-3)
        x = self.wide((1, *image, channels), x_scale)
        weights, scales = self.filters((1, *window, outputs), 3)
        bias = self.bias(outputs, x_scale, scales, ("int64",))
        y = self.target((1, *size, outputs), x_scale, scales, math.prod(window))
        self.model.operator(
            self.name, [x, weights, *bias], [y], "DepthwiseConv2DOptions", depthMultiplier=multiplier,
            **options,
        )  # fmt: skip
        return self.model.build([x], [y])

    def fully_connected(self) -> bytes:
        """FULLY_CONNECTED over one row and more."""
        rows, inputs, outputs = self.pick(1, 3), self.pick(1, 3, 8, 67), self.pick(1, 2, 5)
        x_scale = self.scale(1e-6, 1e-3)
        x = self.wide((rows, inputs), x_scale)
        weights, scales = self.filters((outputs, inputs), 0)
        bias = self.bias(outputs, x_scale, scales, ("int32", "int64", "none"))
        y = self.target((rows, outputs), x_scale, scales, inputs)
        self.model.operator(
            self.name, [x, weights, *bias], [y], "FullyConnectedOptions",
            fusedActivationFunction=self.pick(0, 1, 2),
        )  # fmt: skip
        return self.model.build([x], [y])

    def transpose_conv(self) -> bytes:
        """TRANSPOSE_CONV: windows smaller and larger than their stride."""
        image, channels, outputs = self.shape(2, 5), self.pick(1, 3, 4, 7), self.pick(1, 2, 3)
        window, stride = self.shape(2, 4), (self.pick(1, 2, 3), self.pick(1, 2, 4))
        valid, x_scale = self.chance(), self.scale(1e-6, 1e-3)
        size = tuple(
            (given - 1) * step + (reach if valid else 1) + self.pick(0, step - 1)
            for given, reach, step in zip(image, window, stride, strict=True)
        )
        x = self.wide((1, *image, channels), x_scale)
        weights, scales = self.filters((outputs, *window, channels), 0)
        bias = self.bias(outputs, x_scale, scales, ("int16", "int64", "none"))
        y = self.target((1, *size, outputs), x_scale, scales, math.prod(window) * channels)
        self.model.operator(
            self.name, [self.model.integers((1, *size, outputs)), weights, x, *bias], [y],
            "TransposeConvOptions", padding=int(valid), strideH=stride[0], strideW=stride[1],
            fusedActivationFunction=self.pick(0, 1),
        )  # fmt: skip
        return self.model.build([x], [y])

    def binary(self) -> bytes:
        """ADD, SUB and MUL with broadcasting and constants."""
        shape = self.shape(self.pick(1, 2, 3, 4))
        other = tuple(size if self.chance(0.7) else 1 for size in shape)
        fixed = self.pick(0, 0, 1)
        data = self.rng.integers(-(1 << 15), 1 << 15, other) if fixed else None
        scales = self.scale(1e-5, 1e-3), self.scale(1e-5, 1e-3)
        a, b = self.wide(shape, scales[0]), self.wide(other, scales[1], data)
        largest = max(scales) * 2 if self.name != "MUL" else scales[0] * scales[1] * 32768
        y = self.wide(shape, largest * self.rng.uniform(0.2, 3))
        swapped = self.chance(0.3)
        options = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}[self.name]
        self.model.operator(
            self.name, [b, a] if swapped else [a, b], [y], options,
            fusedActivationFunction=self.pick(0, 0, 1, 2, 3),
        )  # fmt: skip
        return self.model.build([a] if fixed else [a, b], [y])

    def leaky_relu(self) -> bytes:
        """LEAKY_RELU: slopes of either sign, zero points too."""
        x, y = (
            self.model.tensor((1, 99), self.scale(1e-4, 1e-2), self.pick(0, -1000, 30000), dtype="int16")
            for _ in range(2)
        )
        alpha = float(self.rng.choice([0.1, -0.4, 2.0]))
        self.model.operator(self.name, [x], [y], "LeakyReluOptions", alpha=alpha)
        return self.model.build([x], [y])

    def sigmoid(self) -> bytes:
        """LOGISTIC and TANH: scales that are powers of two and others."""
        scale = float(self.rng.choice([2.0**-12, 2.0**-11, 2.0**-14, self.scale(1e-6, 1)]))
        x, y = self.wide((1, 500), scale), self.wide((1, 500), 2.0**-15)
        self.model.operator(self.name, [x], [y])
        return self.model.build([x], [y])

    def softmax(self) -> bytes:
        """SOFTMAX: rows of one value and of hundreds, scales from flat to one-hot."""
        shape = (*self.shape(self.pick(0, 1, 2)), self.pick(1, 2, 10, 300))
        x, y = self.wide(shape, self.scale(1e-6, 1e-2)), self.wide(shape, 2.0**-15)
        self.model.operator(self.name, [x], [y], "SoftmaxOptions", beta=float(self.rng.choice([1.0, 0.3])))
        return self.model.build([x], [y])

    def pool(self) -> bytes:
        """Pools of any window."""
        image, window, options, _ = self.geometry()
        stride = options["strideH"], options["strideW"]
        valid = options["padding"]
        size = tuple(
            (own - min(own, far)) // step + 1 if valid else -(-own // step)
            for own, far, step in zip(image, window, stride, strict=True)
        )
        channels, scale = self.pick(1, 3, 5), self.scale(1e-4, 1e-2)
        x, y = (self.wide((1, *shape, channels), scale) for shape in (image, size))
        self.model.operator(
            self.name, [x], [y], "Pool2DOptions", padding=valid, strideH=stride[0], strideW=stride[1],
            filterHeight=min(window[0], image[0]), filterWidth=min(window[1], image[1]),
            fusedActivationFunction=options["fusedActivationFunction"],
        )  # fmt: skip
        return self.model.build([x], [y])

    def quantize(self) -> bytes:
        """QUANTIZE between integer types."""
        types = [
            ("int16", "int16"),
            ("int32", "int16"),
            ("int32", "int8"),
            ("int8", "int32"),
            ("int16", "int8"),
        ]
        pair = types[self.pick(*range(len(types)))]
        bits = [int(dtype[3:]) for dtype in pair]
        x, y = (
            self.model.tensor((1, 200), self.scale(1e-2, 1e-1) / 2**size, self.pick(0, 100), dtype=dtype)
            for size, dtype in zip(bits, pair, strict=True)
        )
        self.model.operator(self.name, [x], [y], "QuantizeOptions")
        return self.model.build([x], [y])

    def move(self) -> bytes:
        """PAD, CONCATENATION and STRIDED_SLICE, one after the other."""
        scale = self.scale(1e-4, 1e-2)
        shape = (1, *self.shape(2, 5), 3)
        x, second = self.wide(shape, scale), self.wide(shape, scale)
        joined = self.wide((1, shape[1], 2 * shape[2], 3), scale)
        self.model.operator("CONCATENATION", [x, second], [joined], "ConcatenationOptions", axis=2)
        padded = self.wide((1, shape[1] + 3, 2 * shape[2] + 1, 3), scale)
        margins = self.model.integers([[0, 0], [1, 2], [0, 1], [0, 0]])
        self.model.operator("PAD", [joined, margins], [padded], "PadOptions")
        y = self.wide((1, shape[1] + 1, 2 * shape[2], 2), scale)
        bounds = [[0, 1, 0, 0], [1, shape[1] + 2, 2 * shape[2], 3], [1, 1, 1, 2]]
        self.model.operator(
            "STRIDED_SLICE", [padded, *(self.model.integers(each) for each in bounds)], [y],
            "StridedSliceOptions",
        )  # fmt: skip
        return self.model.build([x, second], [y])


MAKERS: dict[str, Callable[[Int16Operator], bytes]] = {
    "ADD": Int16Operator.binary,
    "AVERAGE_POOL_2D": Int16Operator.pool,
    "CONV_2D": Int16Operator.conv_2d,
    "DEPTHWISE_CONV_2D": Int16Operator.depthwise_conv_2d,
    "FULLY_CONNECTED": Int16Operator.fully_connected,
    "LEAKY_RELU": Int16Operator.leaky_relu,
    "LOGISTIC": Int16Operator.sigmoid,
    "MAX_POOL_2D": Int16Operator.pool,
    "MUL": Int16Operator.binary,
    "PAD": Int16Operator.move,
    "QUANTIZE": Int16Operator.quantize,
    "SOFTMAX": Int16Operator.softmax,
    "SUB": Int16Operator.binary,
    "TANH": Int16Operator.sigmoid,
    "TRANSPOSE_CONV": Int16Operator.transpose_conv,
}


def model(name: str, seed: int) -> bytes:
    """The .tflite of an operator and a seed."""
    return MAKERS[name](Int16Operator(name, seed))
