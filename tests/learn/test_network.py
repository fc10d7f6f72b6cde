"""Layers in numpy: every gradient is the slope of the loss."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.learn import network as networks
from tinyml_cli.learn.layers import Convolution, Dense, Dropout, Flatten, MaxPool, NumpyLayer, Relu
from tinyml_cli.learn.network import NumpyNetwork, cross_entropy, fit, optimiser, squared_error

RNG = np.random.default_rng


def _convolutional(rng: np.random.Generator) -> list[NumpyLayer]:
    first, second = Convolution(2, 3, rng), Convolution(3, 2, rng)
    return [first, Relu(), MaxPool(), second, Relu(), Flatten(), Dense(12, 4, rng)]


@pytest.mark.parametrize("loss", [squared_error, cross_entropy])
def test_gradients_are_slopes(loss: networks.Loss) -> None:
    rng = RNG(3)
    network = NumpyNetwork(_convolutional(rng))
    x = rng.normal(size=(5, 7, 5, 2))  # odd sides: pooling leaves out the last row and column
    y = rng.normal(size=(5, 4)) if loss is squared_error else rng.integers(0, 4, 5)
    _, gradients = network.gradients(x, y, loss)
    for values, slopes in zip(network.parameters, gradients, strict=True):
        assert values.shape == slopes.shape
        for place in zip(*(rng.integers(0, side, 4) for side in values.shape), strict=True):
            kept = values[place]
            sides = []
            for step in (1e-5, -1e-5):
                values[place] = kept + step
                sides.append(loss(network(x), y)[0])
            values[place] = kept
            assert slopes[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-3, abs=1e-7)


def test_a_convolution_sums_what_its_kernel_covers() -> None:
    layer = Convolution(1, 1, RNG(0))
    layer.parameters[0][...] = np.arange(9.0).reshape(3, 3, 1, 1)
    x = np.zeros((1, 3, 4, 1))
    x[0, 1, 1] = 1
    assert layer.forward(x, False)[0, :, :3, 0].tolist() == np.arange(9.0).reshape(3, 3)[::-1, ::-1].tolist()


def test_dropout_keeps_the_mean_and_is_idle_outside_training() -> None:
    layer, x = Dropout(0.75, RNG(1)), np.ones((200, 100))
    dropped = layer.forward(x, True)
    assert set(np.unique(dropped)) == {0.0, 4.0}
    assert dropped.mean() == pytest.approx(1, abs=0.05)
    assert np.array_equal(layer.backward(x), dropped)
    assert np.array_equal(layer.forward(x, False), x)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_both_optimisers_learn(name: str) -> None:
    rng = RNG(5)
    network = NumpyNetwork([Dense(2, 8, rng), Relu(), Dense(8, 2, rng)])
    x = rng.normal(size=(200, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(np.int64)  # no line separates these
    fit(network, lambda: [(x, labels)] * 10, cross_entropy, optimiser(name, 0.1), 40, lambda epoch: False)
    assert np.mean(network(x).argmax(axis=1) == labels) > 0.9


def test_a_training_that_diverges_keeps_the_last_good_epoch() -> None:
    network = NumpyNetwork([Dense(1, 1, RNG(0))])
    x = np.array([[1.0], [50.0]])
    good: list[float] = []

    def after(epoch: int) -> bool:
        good.append(squared_error(network(x), x)[0])
        return False

    assert fit(network, lambda: [(x, x)], squared_error, optimiser("sgd", 0.01), 1000, after)
    assert 1 < len(good) < 1000
    assert squared_error(network(x), x)[0] == good[-1]


def test_a_rate_that_fails_at_once_is_refused_with_another() -> None:
    networks.check_rate(True, 1, 5.0)
    with pytest.raises(TinymlError, match="5") as caught:
        networks.check_rate(True, 0, 5.0)
    assert "--rate 0.5" in caught.value.next_step
