"""A small network in numpy and its training: SGD or Adam, mean squared error or cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.learn.layers import Array, NumpyLayer

Loss = Callable[[Array, NDArray[np.generic]], tuple[float, Array]]
Update = Callable[[list[Array], list[Array]], None]

RATES = {"sgd": 0.1, "adam": 0.005}
"""Optimiser -> its learning rate, where none is given."""
_HOPELESS = 1e12


class NumpyNetwork:
    """Layers, one after the other."""

    def __init__(self, layers: Sequence[NumpyLayer]) -> None:
        self.layers = list(layers)

    @property
    def parameters(self) -> list[Array]:
        """Of all layers; arrays that can be changed in place."""
        return [each for layer in self.layers for each in layer.parameters]

    @property
    def size(self) -> int:
        """How many numbers it learns."""
        return sum(each.size for each in self.parameters)

    def __call__(self, x: Array, training: bool = False) -> Array:
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def gradients(self, x: Array, y: NDArray[np.generic], loss: Loss) -> tuple[float, list[Array]]:
        """The loss on a batch, and its gradient along each of `parameters`."""
        value, slope = loss(self(x, True), y)
        for layer in reversed(self.layers):
            slope = layer.backward(slope)
        return value, [each for layer in self.layers for each in layer.gradients]


def squared_error(outputs: Array, targets: NDArray[np.generic]) -> tuple[float, Array]:
    """Mean squared error, and its gradient along the outputs."""
    errors = outputs - np.asarray(targets, np.float64)
    return float(np.mean(np.square(errors))), 2 * errors / errors.size


def cross_entropy(logits: Array, labels: NDArray[np.generic]) -> tuple[float, Array]:
    """Mean of -log softmax of the right label, and its gradient along the logits [n, labels]."""
    shares = softmax(logits)
    rows, right = np.arange(len(logits)), np.asarray(labels, np.int64)
    slope = shares.copy()
    slope[rows, right] -= 1
    return float(-np.mean(np.log(np.maximum(shares[rows, right], 1e-300)))), slope / len(logits)


def softmax(logits: Array) -> Array:
    """Shares that add up to 1, along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def optimiser(name: str, rate: float | None = None) -> Update:
    """What changes parameters by their gradients: "sgd" or "adam" (Kingma and Ba, arXiv:1412.6980)."""
    rate = RATES[name] if rate is None else rate
    return _sgd(rate) if name == "sgd" else _adam(rate)


def _sgd(rate: float) -> Update:
    def update(parameters: list[Array], gradients: list[Array]) -> None:
        for values, slope in zip(parameters, gradients, strict=True):
            values -= rate * slope

    return update


def _adam(rate: float) -> Update:
    means: list[Array] = []
    squares: list[Array] = []
    steps = 0

    def update(parameters: list[Array], gradients: list[Array]) -> None:
        nonlocal steps
        if not means:
            means.extend(np.zeros_like(each) for each in parameters)
            squares.extend(np.zeros_like(each) for each in parameters)
        steps += 1
        for values, slope, mean, square in zip(parameters, gradients, means, squares, strict=True):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (np.square(slope) - square)
            values -= rate * mean / (1 - 0.9**steps) / (np.sqrt(square / (1 - 0.999**steps)) + 1e-8)

    return update


def fit(
    network: NumpyNetwork,
    batches: Callable[[], Sequence[tuple[Array, NDArray[np.generic]]]],
    loss: Loss,
    update: Update,
    epochs: int,
    after: Callable[[int], bool],
) -> bool:
    """Trains.

    Args:
        network: changed in place; where training diverges it is left as it was at the last good epoch.
        batches: gives the inputs and targets of an epoch.
        loss: see above.
        update: see `optimiser`.
        epochs: how many at most.
        after: called with the number of each epoch that went well, from 1; True ends the training.

    Returns:
        Whether it diverged.
    """
    for epoch in range(1, epochs + 1):
        before = [each.copy() for each in network.parameters]
        with np.errstate(all="ignore"):
            values = []
            for x, y in batches():
                value, gradients = network.gradients(x, y, loss)
                update(network.parameters, gradients)
                values.append(value)
        if not _is_sound(values, network.parameters):
            for each, old in zip(network.parameters, before, strict=True):
                each[...] = old
            return True
        if after(epoch):
            return False
    return False


def _is_sound(losses: list[float], parameters: list[Array]) -> bool:
    return all(each < _HOPELESS for each in losses) and all(
        np.abs(each).max() < _HOPELESS for each in parameters
    )


def check_rate(diverged: bool, epochs: int, rate: float) -> None:
    """For lessons that have nothing to show of a training that failed at once.

    Raises:
        TinymlError: not one epoch went well.
    """
    if diverged and epochs == 0:
        raise TinymlError(
            f"At a learning rate of {rate:g} the loss grows without end in the first epoch",
            "--rate",
            f"Try --rate {rate / 10:g}.",
        )
