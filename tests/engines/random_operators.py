"""Random models of one operator each: shapes, scales and zero points at their extremes, all from one seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.engines.flatbuffer_models import Model

_ZEROS = (-128, -127, -1, 0, 3, 126, 127)


class RandomOperator:
    """Makes models of one operator."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.rng = np.random.default_rng([*name.encode(), seed])
        self.model = Model()

    def pick(self, *options: int) -> int:
        """One of some numbers."""
        return int(self.rng.choice(options))

    def chance(self, probability: float = 0.5) -> bool:
        """True so often."""
        return bool(self.rng.random() < probability)

    def scale(self, smallest: float = 1e-4, largest: float = 10.0) -> float:
        """A scale, uniform in its logarithm."""
        return float(np.float32(np.exp(self.rng.uniform(np.log(smallest), np.log(largest)))))

    def zero(self) -> int:
        """A zero point, often at an end."""
        return self.pick(*_ZEROS, int(self.rng.integers(-128, 128)))

    def shape(self, rank: int, largest: int = 9) -> tuple[int, ...]:
        """Sizes, often 1."""
        return tuple(
            self.pick(1, *(int(self.rng.integers(1, largest + 1)) for _ in range(3))) for _ in range(rank)
        )

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """int8 values, now and then only the extremes."""
        if self.chance(0.2):
            return self.rng.choice(np.array([-128, 127]), shape)
        return self.rng.integers(-128, 128, shape)

    def resize(self) -> bytes:
        """RESIZE_*: both directions, both ways to place the pixels."""
        shape = (1, *self.shape(2, 12), self.pick(1, 2, 3, 5, 8))
        aligned = self.chance()
        size = tuple(int(n) for n in self.rng.integers(1, 30, 2))
        if self.chance(0.4):
            size = (shape[1] * self.pick(1, 2, 3), shape[2] * self.pick(1, 2, 4))
        half = self.chance() and (self.name == "RESIZE_NEAREST_NEIGHBOR" or not aligned)
        grid = self.scale(), self.zero()
        x, y = self.model.tensor(shape, *grid), self.model.tensor((1, *size, shape[3]), *grid)
        options = "ResizeBilinearOptions" if "BILINEAR" in self.name else "ResizeNearestNeighborOptions"
        self.model.operator(
            self.name,
            [x, self.model.integers(size)],
            [y],
            options,
            alignCorners=aligned,
            halfPixelCenters=half,
        )
        return self.model.build([x], [y])

    def arg_extremum(self) -> bytes:
        """ARG_*: any axis, from either end."""
        shape = self.shape(self.pick(1, 2, 3, 4))
        axis = int(self.rng.integers(len(shape)))
        x = self.model.tensor(shape, self.scale(), self.zero())
        y = self.model.tensor((*shape[:axis], *shape[axis + 1 :]), None, dtype="int32")
        given = self.model.integers(np.array(axis - self.pick(0, len(shape))))
        options = {"ARG_MAX": "ArgMaxOptions", "ARG_MIN": "ArgMinOptions"}[self.name]
        self.model.operator(self.name, [x, given], [y], options, outputType=2)
        return self.model.build([x], [y])

    def log_softmax(self) -> bytes:
        """LOG_SOFTMAX: rows of one value and of hundreds, scales from flat to one-hot."""
        shape = (*self.shape(self.pick(0, 1, 2)), self.pick(1, 2, 10, 100, 1000))
        x = self.model.tensor(shape, self.scale(1e-6, 100), self.zero())
        y = self.model.tensor(shape, 16 / 256, 127)
        self.model.operator(self.name, [x], [y], "LogSoftmaxOptions")
        return self.model.build([x], [y])

    def elu(self) -> bytes:
        """ELU: any two scales."""
        shape = (1, 300)
        x = self.model.tensor(shape, self.scale(), self.zero())
        y = self.model.tensor(shape, self.scale(), self.zero())
        self.model.operator(self.name, [x], [y])
        return self.model.build([x], [y])

    def gather(self) -> bytes:
        """GATHER by constant indices, in order, in steps or at random."""
        shape = self.shape(self.pick(1, 2, 3, 4))
        axis = int(self.rng.integers(len(shape)))
        count = shape[axis]
        picked = self.rng.integers(0, count, self.shape(self.pick(1, 1, 2)))
        if self.chance(0.4):
            picked = np.arange(count)[:: self.pick(1, 2, -1)][: self.pick(1, count)]
        grid = self.scale(), self.zero()
        x = self.model.tensor(shape, *grid)
        y = self.model.tensor((*shape[:axis], *picked.shape, *shape[axis + 1 :]), *grid)
        given = axis - self.pick(0, len(shape))
        self.model.operator(self.name, [x, self.model.integers(picked)], [y], "GatherOptions", axis=given)
        return self.model.build([x], [y])

    def reverse(self) -> bytes:
        """REVERSE_V2: one dimension, or neighbours."""
        shape = self.shape(self.pick(1, 2, 3, 4))
        first = int(self.rng.integers(len(shape)))
        axes = range(first, int(self.rng.integers(first, len(shape))) + 1)
        grid = self.scale(), self.zero()
        x, y = self.model.tensor(shape, *grid), self.model.tensor(shape, *grid)
        self.model.operator(self.name, [x, self.model.integers(list(axes))], [y], "ReverseV2Options")
        return self.model.build([x], [y])

    def blocks(self) -> bytes:
        """DEPTH_TO_SPACE and SPACE_TO_DEPTH."""
        block = self.pick(1, 2, 3)
        height, width, depth = self.shape(3, 4)
        shapes = (1, height, width, depth * block**2), (1, height * block, width * block, depth)
        grid = self.scale(), self.zero()
        narrow, wide = (self.model.tensor(shape, *grid) for shape in shapes)
        x, y = (narrow, wide) if self.name == "DEPTH_TO_SPACE" else (wide, narrow)
        options = {"DEPTH_TO_SPACE": "DepthToSpaceOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions"}
        self.model.operator(self.name, [x], [y], options[self.name], blockSize=block)
        return self.model.build([x], [y])

    def transpose_conv(self) -> bytes:
        """TRANSPOSE_CONV: windows smaller and larger than their stride, weights of -128 too."""
        image, channels, outputs = self.shape(2, 6), self.pick(1, 2, 3, 4, 7, 8), self.pick(1, 2, 3, 5)
        window, stride = self.shape(2, 5), (self.pick(1, 2, 3, 9), self.pick(1, 2, 4, 9))
        valid = self.chance()
        size = []
        for given, reach, step in zip(image, window, stride, strict=True):
            more = self.pick(0, step - 1)
            size.append((given - 1) * step + (reach if valid else 1) + more)
        per_channel = self.chance(0.7)
        scales = np.exp(self.rng.uniform(-8, -2, outputs if per_channel else 1)).astype(np.float32)
        # With -128 among them a plain kernel takes over, and with many phases.
        weights = np.maximum(self.values((outputs, *window, channels)), self.pick(-128, -127, -127))
        grid = self.scale(1e-3, 1), self.zero()
        x = self.model.tensor((1, *image, channels), *grid)
        spread = float(scales.max()) * grid[0] * 70 * 70 * math.sqrt(math.prod(window) * channels)
        y = self.model.tensor((1, *size, outputs), spread / self.rng.uniform(20, 300), self.zero())
        inputs = [
            self.model.integers((1, *size, outputs)),
            self.model.tensor(weights.shape, data=weights, scales=scales, axis=0),
            x,
        ]
        if self.chance(0.7):
            bias = self.rng.integers(-30_000, 30_000, outputs)
            inputs.append(
                self.model.tensor((outputs,), dtype="int32", data=bias, scales=scales * np.float32(grid[0]))
            )
        self.model.operator(
            self.name, inputs, [y], "TransposeConvOptions", padding=int(valid), strideH=stride[0],
            strideW=stride[1], fusedActivationFunction=self.pick(0, 0, 1, 2, 3),
        )  # fmt: skip
        return self.model.build([x], [y])

    def batch_matmul(self) -> bytes:
        """BATCH_MATMUL: batches that repeat, either matrix transposed or constant."""
        rows, depth, columns = (int(n) for n in self.rng.integers(1, 14, 3))
        depth = self.pick(depth, 1, 4, 65)
        batch = self.shape(self.pick(0, 1, 2, 3), 3)
        adjoint = self.chance(), self.chance()
        batches = [
            tuple(n if self.chance(0.7) else 1 for n in batch)[self.pick(0, 0, len(batch)) :]
            for _ in range(2)
        ]
        rank = max(map(len, batches))
        wide = [(1,) * (rank - len(each)) + each for each in batches]
        joint = tuple(max(pair) for pair in zip(*wide, strict=True))
        sizes = [
            (*own, *(pair[::-1] if turned else pair))
            for own, pair, turned in zip(batches, ((rows, depth), (depth, columns)), adjoint, strict=True)
        ]
        scales = self.scale(1e-3, 1), self.scale(1e-3, 1)
        fixed = self.pick(0, 0, 1)
        a = self.model.tensor(sizes[0], scales[0], self.zero())
        data = self.values(sizes[1]) if fixed else None
        b = self.model.tensor(sizes[1], scales[1], self.zero(), data=data)
        spread = scales[0] * scales[1] * 70 * 70 * math.sqrt(depth)
        y = self.model.tensor((*joint, rows, columns), spread / self.rng.uniform(20, 300), self.zero())
        self.model.operator(self.name, [a, b], [y], "BatchMatMulOptions", adjX=adjoint[0], adjY=adjoint[1])
        return self.model.build([a] if fixed else [a, b], [y])


MAKERS: dict[str, Callable[[RandomOperator], bytes]] = {
    "ARG_MAX": RandomOperator.arg_extremum,
    "ARG_MIN": RandomOperator.arg_extremum,
    "BATCH_MATMUL": RandomOperator.batch_matmul,
    "DEPTH_TO_SPACE": RandomOperator.blocks,
    "ELU": RandomOperator.elu,
    "GATHER": RandomOperator.gather,
    "LOG_SOFTMAX": RandomOperator.log_softmax,
    "RESIZE_BILINEAR": RandomOperator.resize,
    "RESIZE_NEAREST_NEIGHBOR": RandomOperator.resize,
    "REVERSE_V2": RandomOperator.reverse,
    "SPACE_TO_DEPTH": RandomOperator.blocks,
    "TRANSPOSE_CONV": RandomOperator.transpose_conv,
}


def model(name: str, seed: int) -> bytes:
    """The .tflite of an operator and a seed."""
    return MAKERS[name](RandomOperator(name, seed))
