"""Random int8 graphs of the operators that TinyML models use, all from one seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.engines.flatbuffer_models import Model

_MOST_ELEMENTS = 3000


@dataclass(frozen=True)
class Value:
    """A computed tensor."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero: int


class RandomGraph:
    """Grows a graph operator by operator; every value may be used again, so branches and residuals occur."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([20260, seed])
        self.model = Model()
        self.values: list[Value] = []

    def build(self, operators: int, inputs_and_outputs: int) -> bytes:
        """So many operators, more where one needs another, and up to so many inputs and outputs."""
        inputs = [
            self.new(self._image()) for _ in range(self.pick([1, 1, 2] if inputs_and_outputs > 1 else [1]))
        ]
        self.values += inputs
        makers = self._makers()
        for _ in range(operators):
            made = None
            while made is None:
                made = makers[int(self.rng.integers(len(makers)))](self._choose())
            self.values += made
        computed = self.values[len(inputs) :]
        outputs = [computed[-1]]
        if len(computed) > 2 and self.chance(0.3) and inputs_and_outputs > 1:
            outputs.append(computed[int(self.rng.integers(len(computed) - 1))])
        return self.model.build([v.index for v in inputs], [v.index for v in outputs])

    def chance(self, probability: float) -> bool:
        """True so often."""
        return bool(self.rng.random() < probability)

    def pick(self, options: list[int]) -> int:
        """One of some numbers."""
        return int(self.rng.choice(options))

    def new(self, shape: tuple[int, ...], scale: float | None = None, zero: int | None = None) -> Value:
        """A tensor, with a random scale and zero point unless given."""
        scale = float(np.float32(np.exp(self.rng.uniform(-6, 0)))) if scale is None else scale
        zero = self.pick([-128, -128, -5, 0, 17, int(self.rng.integers(-128, 100))]) if zero is None else zero
        return Value(self.model.tensor(shape, scale, zero), shape, scale, zero)

    def near(self, x: Value) -> float:
        """A scale not far from a value's."""
        return float(np.float32(x.scale * np.exp(self.rng.uniform(-1, 1))))

    def _image(self) -> tuple[int, ...]:
        height, width = (int(self.rng.integers(1, 13)) for _ in range(2))
        return (1, height, width, self.pick([1, 2, 3, 4, 5, 8, 16]))

    def _choose(self) -> Value:
        # Late values more often, so that graphs are deep as well as wide.
        return self.values[-1] if self.chance(0.6) else self.values[int(self.rng.integers(len(self.values)))]

    def _makers(self) -> list[Callable[[Value], list[Value] | None]]:
        return [
            self._convolution, self._convolution, self._depthwise, self._depthwise, self._dense, self._pool,
            self._binary, self._binary, self._with_constant, self._unary, self._unary, self._squash,
            self._join, self._pad, self._mean, self._reshape, self._transpose, self._slice, self._split,
        ]  # fmt: skip

    def _window(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int, list[int]]:
        """Window, stride, dilation, padding (0 is SAME) and output size of something that slides."""
        size = tuple(int(self.rng.integers(1, 6)) for _ in range(2))
        if self.chance(0.3):
            size = (3, 3)
        if self.chance(0.25):
            size = (1, 1)
        stride = (self.pick([1, 1, 2, 3]), self.pick([1, 1, 2, 3]))
        dilation = (2, self.pick([1, 2, 3])) if stride == (1, 1) and self.chance(0.2) else (1, 1)
        reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
        fits = all(n <= space for n, space in zip(reach, x.shape[1:3], strict=True))
        padding = 1 if fits and self.chance(0.5) else 0
        out = [
            (space - n) // step + 1 if padding else -(-space // step)
            for space, n, step in zip(x.shape[1:3], reach, stride, strict=True)
        ]
        return size, stride, dilation, padding, out

    def _weights(
        self, x: Value, shape: tuple[int, ...], axis: int, outputs: int, per_channel: bool
    ) -> tuple[list[int], float]:
        """Weights and, often, a bias; and a scale at which the output is neither flat nor clipped."""
        scales = np.exp(self.rng.uniform(-7, -3, outputs if per_channel else 1)).astype(np.float32)
        data = self.rng.integers(-127, 128, shape)
        if self.chance(0.15):
            data.reshape(-1, outputs)[:, 0] = 0
        weights = self.model.tensor(shape, data=data, scales=scales, axis=axis)
        inputs = [x.index, weights]
        terms = math.prod(shape) / outputs
        if self.chance(0.8):
            bias = self.rng.integers(-1000, 1000, outputs) * self.pick([0, 1, 10, 30])
            inputs.append(self.model.tensor((outputs,), dtype="int32", data=bias, scales=scales * x.scale))
        else:
            inputs.append(-1)
        spread = float(scales.max()) * x.scale * 70 * 70 * math.sqrt(terms)
        return inputs, float(np.float32(spread / self.rng.uniform(20, 300)))

    def _convolution(self, x: Value) -> list[Value] | None:
        if len(x.shape) != 4:
            return None
        size, stride, dilation, padding, out = self._window(x)
        channels = self.pick([1, 2, 3, 4, 6, 8, 16, 17])
        if math.prod(out) * channels > _MOST_ELEMENTS:
            return None
        groups = self.pick([n for n in (1, 1, 1, 2, 4) if channels % n == x.shape[3] % n == 0])
        shape = (channels, *size, x.shape[3] // groups)
        inputs, scale = self._weights(x, shape, 0, channels, self.chance(0.8))
        y = self.new((1, *out, channels), scale)
        self.model.operator(
            "CONV_2D", inputs, [y.index], "Conv2DOptions", padding=padding, strideH=stride[0],
            strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1],
            fusedActivationFunction=self.pick([0, 0, 1, 2, 3]),
        )  # fmt: skip
        return [y]

    def _depthwise(self, x: Value) -> list[Value] | None:
        if len(x.shape) != 4:
            return None
        size, stride, dilation, padding, out = self._window(x)
        multiplier = self.pick([1, 1, 1, 2, 3])
        channels = x.shape[3] * multiplier
        if math.prod(out) * channels > _MOST_ELEMENTS:
            return None
        inputs, scale = self._weights(x, (1, *size, channels), 3, channels, self.chance(0.8))
        # TensorFlow Lite Micro's runtime dies of a depthwise bias that is given as absent.
        inputs = [index for index in inputs if index >= 0]
        y = self.new((1, *out, channels), scale)
        self.model.operator(
            "DEPTHWISE_CONV_2D", inputs, [y.index], "DepthwiseConv2DOptions", padding=padding,
            strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1],
            depthMultiplier=multiplier, fusedActivationFunction=self.pick([0, 0, 1, 2, 3]),
        )  # fmt: skip
        return [y]

    def _dense(self, x: Value) -> list[Value] | None:
        width = x.shape[-1] if self.chance(0.4) else math.prod(x.shape)
        rows, outputs = math.prod(x.shape) // width, int(self.rng.integers(1, 20))
        if width > 600 or rows * outputs > _MOST_ELEMENTS:
            return None
        inputs, scale = self._weights(x, (outputs, width), 0, outputs, per_channel=self.chance(0.4))
        y = self.new((rows, outputs), scale)
        self.model.operator(
            "FULLY_CONNECTED", inputs, [y.index], "FullyConnectedOptions",
            fusedActivationFunction=self.pick([0, 0, 1, 2]),
        )  # fmt: skip
        return [y]

    def _pool(self, x: Value) -> list[Value] | None:
        if len(x.shape) != 4:
            return None
        size, stride, dilation, padding, out = self._window(x)
        if dilation != (1, 1):
            return None
        y = self.new((1, *out, x.shape[3]), x.scale, x.zero)
        self.model.operator(
            ["AVERAGE_POOL_2D", "MAX_POOL_2D"][self.pick([0, 1])], [x.index], [y.index], "Pool2DOptions",
            padding=padding, strideH=stride[0], strideW=stride[1], filterHeight=size[0],
            filterWidth=size[1], fusedActivationFunction=self.pick([0, 0, 1, 2]),
        )  # fmt: skip
        return [y]

    def _arithmetic(self, a: Value, b: Value, shape: tuple[int, ...]) -> list[Value]:
        name = ["ADD", "SUB", "MUL"][self.pick([0, 0, 1, 2])]
        size = a.scale * b.scale * 60 if name == "MUL" else a.scale + b.scale
        y = self.new(shape, float(np.float32(size * self.rng.uniform(0.3, 2))))
        inputs = [a.index, b.index] if self.chance(0.5) else [b.index, a.index]
        self.model.operator(
            name, inputs, [y.index], f"{name.title()}Options", fusedActivationFunction=self.pick([0, 0, 1, 2])
        )
        return [y]

    def _binary(self, x: Value) -> list[Value] | None:
        """Two values of one shape, or one that is repeated along some dimensions of the other."""
        fitting = [
            other
            for other in self.values
            if len(other.shape) == len(x.shape)
            and all(n in (1, m) for n, m in zip(other.shape, x.shape, strict=True))
        ]
        other = fitting[int(self.rng.integers(len(fitting)))]
        if other.shape == x.shape and self.chance(0.15):
            y, same = self.new(x.shape, x.scale, x.zero), self._like(other, x)
            name = ["MAXIMUM", "MINIMUM"][self.pick([0, 1])]
            self.model.operator(name, [x.index, same.index], [y.index], "MaximumMinimumOptions")
            return [y]
        return self._arithmetic(x, other, x.shape)

    def _like(self, value: Value, other: Value) -> Value:
        """A value on the scale of another."""
        if (value.scale, value.zero) == (other.scale, other.zero):
            return value
        same = self.new(value.shape, other.scale, other.zero)
        self.model.operator("QUANTIZE", [value.index], [same.index])
        return same

    def _with_constant(self, x: Value) -> list[Value] | None:
        shape = tuple(n if self.chance(0.5) else 1 for n in x.shape)
        shape = shape[int(self.rng.integers(len(shape) + 1)) :]
        scale, zero = float(np.float32(np.exp(self.rng.uniform(-6, -1)))), self.pick([0, -100, 30])
        data = self.rng.integers(-128, 128, shape)
        constant = Value(self.model.tensor(shape, scale, zero, data=data), shape, scale, zero)
        return self._arithmetic(x, constant, x.shape)

    def _unary(self, x: Value) -> list[Value] | None:
        name = ["RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE", "ABS", "RELU"][
            self.pick([*range(7)])
        ]
        keep = name == "RELU6" or self.chance(0.4)
        y = self.new(x.shape, x.scale if keep else self.near(x), x.zero if keep else None)
        if name == "HARD_SWISH" and x.scale / 128 >= y.scale:
            return None
        options = {"LEAKY_RELU": "LeakyReluOptions"}.get(name, "")
        fields = {"alpha": float(self.rng.uniform(0, 2))} if options else {}
        self.model.operator(name, [x.index], [y.index], options, **fields)
        return [y]

    def _squash(self, x: Value) -> list[Value] | None:
        name = ["LOGISTIC", "TANH", "SOFTMAX"][self.pick([0, 1, 2])]
        if x.scale > 4:
            return None
        y = self.new(x.shape, 1 / 128, 0) if name == "TANH" else self.new(x.shape, 1 / 256, -128)
        fields = {"beta": float(self.pick([1, 1, 2]))} if name == "SOFTMAX" else {}
        self.model.operator(name, [x.index], [y.index], "SoftmaxOptions" if fields else "", **fields)
        return [y]

    def _join(self, x: Value) -> list[Value] | None:
        axis = int(self.rng.integers(len(x.shape)))
        fitting = [
            other
            for other in self.values
            if len(other.shape) == len(x.shape)
            and all(n == m for at, (n, m) in enumerate(zip(other.shape, x.shape, strict=True)) if at != axis)
        ]
        others = [fitting[int(self.rng.integers(len(fitting)))] for _ in range(self.pick([1, 2]))]
        total = x.shape[axis] + sum(part.shape[axis] for part in others)
        shape = (*x.shape[:axis], total, *x.shape[axis + 1 :])
        if math.prod(shape) > _MOST_ELEMENTS or (len(shape) == 4 and axis == 0):
            return None
        parts = [x, *(self._like(other, x) for other in others)]
        y = self.new(shape, x.scale, x.zero)
        self.model.operator(
            "CONCATENATION", [part.index for part in parts], [y.index], "ConcatenationOptions",
            axis=axis if self.chance(0.5) else axis - len(shape),
        )  # fmt: skip
        return [y]

    def _pad(self, x: Value) -> list[Value] | None:
        if len(x.shape) > 4:
            return None
        margins = [[0, 0], *([self.pick([0, 0, 1, 2]), self.pick([0, 1])] for _ in x.shape[1:])]
        shape = tuple(n + sum(pair) for n, pair in zip(x.shape, margins, strict=True))
        if math.prod(shape) > _MOST_ELEMENTS:
            return None
        y = self.new(shape, x.scale, x.zero)
        inputs = [x.index, self.model.integers(margins)]
        if self.chance(0.3):
            inputs.append(self.model.tensor((), x.scale, x.zero, data=self.pick([-128, 3, 127])))
        name = "PADV2" if len(inputs) == 3 else "PAD"
        self.model.operator(name, inputs, [y.index], "PadV2Options" if len(inputs) == 3 else "PadOptions")
        return [y]

    def _mean(self, x: Value) -> list[Value] | None:
        axes = [axis for axis in range(len(x.shape)) if self.chance(0.4)] or [len(x.shape) - 1]
        if len(x.shape) == 4 and self.chance(0.4):
            axes = [1, 2]
        keep = self.chance(0.5)
        shape = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape) if keep or axis not in axes)
        name = ["MEAN", "MEAN", "SUM", "REDUCE_MAX"][self.pick([0, 1, 2, 3])]
        same = name == "REDUCE_MAX"
        y = self.new(shape, x.scale if same else self.near(x), x.zero if same else None)
        self.model.operator(
            name, [x.index, self.model.integers(axes)], [y.index], "ReducerOptions", keepDims=keep
        )
        return [y] if shape else None

    def _reshape(self, x: Value) -> list[Value] | None:
        count, shape = math.prod(x.shape), [1]
        for _ in range(self.pick([0, 1, 2])):
            factor = self.pick([n for n in range(1, 9) if count % n == 0])
            shape.append(factor)
            count //= factor
        y = self.new((*shape, count), x.scale, x.zero)
        new_shape = self.model.integers(y.shape)
        self.model.operator(
            "RESHAPE", [x.index, new_shape], [y.index], "ReshapeOptions", newShape=list(y.shape)
        )
        return [y]

    def _transpose(self, x: Value) -> list[Value] | None:
        order = self.rng.permutation(len(x.shape))
        if x.shape[0] == 1 and len(x.shape) == 4 and self.chance(0.7):
            order = np.array([0, *(1 + self.rng.permutation(3))])
        shape = tuple(x.shape[axis] for axis in order)
        if len(shape) == 4 and shape[0] != 1:
            return None
        y = self.new(shape, x.scale, x.zero)
        self.model.operator("TRANSPOSE", [x.index, self.model.integers(order)], [y.index], "TransposeOptions")
        return [y]

    def _slice(self, x: Value) -> list[Value] | None:
        bounds = []
        for size in x.shape:
            begin, end, step = 0, size, 1
            if size > 1 and self.chance(0.5):
                begin = int(self.rng.integers(0, size))
                end = int(self.rng.integers(begin + 1, size + 1))
                step = self.pick([1, 1, 2])
                if self.chance(0.15) and begin < end - 1:
                    begin, end, step = end - 1, begin, -1
            bounds.append((begin, end, step))
        shape = tuple(len(range(*bound)) for bound in bounds)
        y = self.new(shape, x.scale, x.zero)
        inputs = [x.index, *(self.model.integers(column) for column in zip(*bounds, strict=True))]
        self.model.operator("STRIDED_SLICE", inputs, [y.index], "StridedSliceOptions")
        return [y]

    def _split(self, x: Value) -> list[Value] | None:
        axis = int(self.rng.integers(len(x.shape)))
        parts = [n for n in (2, 3) if x.shape[axis] % n == 0]
        if not parts:
            return None
        count = self.pick(parts)
        shape = tuple(n // count if at == axis else n for at, n in enumerate(x.shape))
        made = [self.new(shape, x.scale, x.zero) for _ in range(count)]
        inputs = [self.model.integers(np.array(axis)), x.index]
        self.model.operator("SPLIT", inputs, [y.index for y in made], "SplitOptions", numSplits=count)
        return made


def model(seed: int) -> bytes:
    """The .tflite of a seed."""
    graph = RandomGraph(seed)
    return graph.build(int(graph.rng.integers(1, 13)), inputs_and_outputs=2)


def large_model(seed: int) -> bytes:
    """A .tflite of many operators with one input and one output."""
    return RandomGraph(seed).build(30, inputs_and_outputs=1)
