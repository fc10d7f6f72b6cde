"""Random graphs that also enlarge, pick, multiply and bend, all from one seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.engines.random_graphs import RandomGraph, Value

_MOST_ELEMENTS = 3000
_RESIZES = (
    ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
    ("RESIZE_BILINEAR", "ResizeBilinearOptions"),
)


class WideGraph(RandomGraph):
    """A RandomGraph with more operators."""

    def _makers(self) -> list[Callable[[Value], list[Value] | None]]:
        more = [self._elu, self._resize, self._gather, self._matmul, self._log_softmax, self._transposed]
        return super()._makers() + 2 * more

    def _elu(self, x: Value) -> list[Value]:
        y = self.new(x.shape, self.near(x))
        self.model.operator("ELU", [x.index], [y.index])
        return [y]

    def _log_softmax(self, x: Value) -> list[Value]:
        y = self.new(x.shape, 16 / 256, 127)
        self.model.operator("LOG_SOFTMAX", [x.index], [y.index], "LogSoftmaxOptions")
        return [y]

    def _resize(self, x: Value) -> list[Value] | None:
        size = tuple(int(n) for n in self.rng.integers(1, 16, 2))
        if len(x.shape) != 4 or math.prod(size) * x.shape[3] > _MOST_ELEMENTS:
            return None
        name, options = _RESIZES[self.pick([0, 1])]
        y = self.new((1, *size, x.shape[3]), x.scale, x.zero)
        inputs = [x.index, self.model.integers(size)]
        self.model.operator(name, inputs, [y.index], options, halfPixelCenters=self.chance(0.5))
        return [y]

    def _gather(self, x: Value) -> list[Value] | None:
        axis = int(self.rng.integers(len(x.shape)))
        picked = self.rng.integers(0, x.shape[axis], self.pick([1, 2, 3]))
        if self.chance(0.4):
            picked = np.arange(x.shape[axis])[self.pick([0, -1]) :]
        shape = (*x.shape[:axis], len(picked), *x.shape[axis + 1 :])
        if len(shape) == 4 and shape[0] != 1:
            return None
        y = self.new(shape, x.scale, x.zero)
        inputs = [x.index, self.model.integers(picked)]
        self.model.operator("GATHER", inputs, [y.index], "GatherOptions", axis=axis)
        return [y]

    def _matmul(self, x: Value) -> list[Value] | None:
        """By itself, one of the two transposed."""
        if len(x.shape) < 2:
            return None
        first = self.chance(0.5)
        size = x.shape[-1] if first else x.shape[-2]
        shape = (*x.shape[:-2], size, size)
        if math.prod(shape) > _MOST_ELEMENTS:
            return None
        depth = x.shape[-2] if first else x.shape[-1]
        scale = x.scale**2 * 70 * 70 * math.sqrt(depth) / self.rng.uniform(20, 300)
        y = self.new(shape, float(np.float32(scale)))
        fields = {"adjX": first, "adjY": not first}
        self.model.operator("BATCH_MATMUL", [x.index, x.index], [y.index], "BatchMatMulOptions", **fields)
        return [y]

    def _transposed(self, x: Value) -> list[Value] | None:
        if len(x.shape) != 4:
            return None
        window, stride = (self.pick([1, 2, 3]), self.pick([2, 3])), (self.pick([1, 2]), self.pick([1, 2, 3]))
        size = tuple(n * step for n, step in zip(x.shape[1:3], stride, strict=True))
        channels = self.pick([1, 2, 5])
        if math.prod(size) * channels > _MOST_ELEMENTS:
            return None
        weights = (channels, *window, x.shape[3])
        (_, filters, bias), scale = self._weights(x, weights, 0, channels, self.chance(0.8))
        y = self.new((1, *size, channels), scale)
        inputs = [self.model.integers(y.shape), filters, x.index, *([bias] if bias >= 0 else [])]
        self.model.operator(
            "TRANSPOSE_CONV", inputs, [y.index], "TransposeConvOptions", padding=0, strideH=stride[0],
            strideW=stride[1], fusedActivationFunction=self.pick([0, 0, 1]),
        )  # fmt: skip
        return [y]


def model(seed: int) -> bytes:
    """The .tflite of a seed."""
    graph = WideGraph(seed)
    return graph.build(int(graph.rng.integers(2, 13)), inputs_and_outputs=2)
