"""The layers of a small network in numpy, forward and backward: short enough to be read in a lesson."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class NumpyLayer(Protocol):
    """A layer.

    Attributes:
        parameters: what it learns; changed in place.
        gradients: of the loss along each of them, since the last `backward`.
    """

    parameters: list[Array]
    gradients: list[Array]

    def forward(self, x: Array, training: bool) -> Array:
        """What it makes of a batch [n, ...]; kept for `backward`."""

    def backward(self, slope: Array) -> Array:
        """From the loss's gradient along the output, that along the input."""


class Dense:
    """Every input times a weight, summed, plus a bias; random weights after He et al., arXiv:1502.01852."""

    def __init__(self, inputs: int, units: int, rng: np.random.Generator) -> None:
        self.parameters = [rng.normal(0, np.sqrt(2 / inputs), (inputs, units)), np.zeros(units)]
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        self._x = x
        return np.asarray(x @ self.parameters[0] + self.parameters[1])

    def backward(self, slope: Array) -> Array:
        self.gradients = [self._x.T @ slope, slope.sum(axis=0)]
        return np.asarray(slope @ self.parameters[0].T)


class Convolution:
    """3x3 kernels over [n, rows, columns, channels], zeros beyond the border."""

    def __init__(self, channels: int, filters: int, rng: np.random.Generator) -> None:
        scale = np.sqrt(2 / (9 * channels))
        self.parameters = [rng.normal(0, scale, (3, 3, channels, filters)), np.zeros(filters)]
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        self._patches = _patches(x)
        kernels, biases = self.parameters
        return np.asarray(self._patches @ kernels.reshape(-1, len(biases)) + biases)

    def backward(self, slope: Array) -> Array:
        kernels, biases = self.parameters
        flat = slope.reshape(-1, len(biases))
        along_kernels = self._patches.reshape(len(flat), -1).T @ flat
        self.gradients = [along_kernels.reshape(kernels.shape), flat.sum(axis=0)]
        turned = kernels[::-1, ::-1].transpose(0, 1, 3, 2)
        return np.asarray(_patches(slope) @ turned.reshape(-1, kernels.shape[2]))


class Relu:
    """Negative values become zero."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        self._open = x > 0
        return np.asarray(x * self._open)

    def backward(self, slope: Array) -> Array:
        return np.asarray(slope * self._open)


class MaxPool:
    """The largest of every 2x2 values; an odd last row or column is left out."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        self._x = x
        self._largest = np.maximum.reduce([x[corner] for corner in self._corners()])
        return np.asarray(self._largest)

    def backward(self, slope: Array) -> Array:
        found = np.zeros_like(self._x)
        is_largest = [self._x[corner] == self._largest for corner in self._corners()]
        share = slope / np.sum(is_largest, axis=0)  # equal values share the gradient
        for corner, chosen in zip(self._corners(), is_largest, strict=True):
            found[corner] = share * chosen
        return found

    def _corners(self) -> list[tuple[slice, ...]]:
        rows, columns = (side // 2 * 2 for side in self._x.shape[1:3])
        every = slice(None)
        return [(every, slice(r, rows, 2), slice(c, columns, 2)) for r in (0, 1) for c in (0, 1)]


class Flatten:
    """[n, ...] to [n, values]."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, slope: Array) -> Array:
        return slope.reshape(self._shape)


class Dropout:
    """In training, a share of the values becomes zero, others each time; the rest is scaled up."""

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []
        self._share, self._rng = share, rng

    def forward(self, x: Array, training: bool) -> Array:
        self._kept = (self._rng.random(x.shape) >= self._share) / (1 - self._share) if training else 1.0
        return np.asarray(x * self._kept)

    def backward(self, slope: Array) -> Array:
        return np.asarray(slope * self._kept)


def _patches(x: Array) -> Array:
    """The 3x3 neighbourhood of each pixel: [n, rows, columns, 9 channels]."""
    rows, columns = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [(r, c) for r in range(3) for c in range(3)]
    return np.concatenate([padded[:, r : r + rows, c : c + columns] for r, c in places], axis=-1)
