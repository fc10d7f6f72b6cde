"""Accuracy and loss after each epoch, on what a network has seen and on what it has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.learn.layers import Array
from tinyml_cli.learn.network import NumpyNetwork, cross_entropy
from tinyml_cli.outcomes.lessons import LearnedEpoch

TRAIN_COLOUR, TEST_COLOUR = "#9db7d5", "#c23b22"

Labelled = tuple[Array, NDArray[np.int64]]


def judged(network: NumpyNetwork, epoch: int, train: Labelled, test: Labelled) -> LearnedEpoch:
    """A network after an epoch."""
    (loss, accuracy), (test_loss, test_accuracy) = _of(network, *train), _of(network, *test)
    return LearnedEpoch(
        epoch=epoch,
        train_loss=loss,
        train_accuracy=accuracy,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
    )


def plot_accuracy(axes: Any, epochs: Sequence[LearnedEpoch]) -> None:
    """Both accuracies over the epochs."""
    numbers = [each.epoch for each in epochs]
    axes.plot(numbers, [each.train_accuracy for each in epochs], color=TRAIN_COLOUR, label="training")
    axes.plot(numbers, [each.test_accuracy for each in epochs], color=TEST_COLOUR, label="test")
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy", fontsize=8)
    axes.set_xlabel("epoch", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, loc="lower right")


def _of(network: NumpyNetwork, x: Array, labels: NDArray[np.int64]) -> tuple[float, float]:
    logits = network(x)
    return cross_entropy(logits, labels)[0], float(np.mean(logits.argmax(axis=1) == labels))
