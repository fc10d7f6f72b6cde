"""`tinyml learn overfit`: networks that learn a few digits by heart, and what helps against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.learn.curves import TEST_COLOUR, TRAIN_COLOUR, judged
from tinyml_cli.learn.handwriting import LABELS, LARGEST_PIXEL, SIDE, digits
from tinyml_cli.learn.layers import Array, Convolution, Dense, Dropout, Flatten, MaxPool, NumpyLayer, Relu
from tinyml_cli.learn.lesson import Lesson
from tinyml_cli.learn.network import NumpyNetwork, cross_entropy, fit, optimiser
from tinyml_cli.outcomes.lessons import LearnedEpoch, Overfitted, OverfittedNetwork
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

_BATCH = 32
_DPI = 110
_FRAME = 12
_UNITS, _FILTERS = 64, (8, 16)

Rng = np.random.Generator


@dataclass(frozen=True)
class Contestant:
    """A network of the comparison.

    Attributes:
        name: how it is called.
        layers: makes its layers, with a share of dropout before the last one.
        remedy: "none", "dropout" or "augmentation".
    """

    name: str
    layers: Callable[[Rng, float], list[NumpyLayer]]
    remedy: str = "none"


def _dense(rng: Rng, dropout: float) -> list[NumpyLayer]:
    layers: list[NumpyLayer] = [Flatten(), Dense(_FRAME**2, _UNITS, rng), Relu()]
    return [*layers, *_dropout(rng, dropout), Dense(_UNITS, LABELS, rng)]


def _convolutions(rng: Rng, dropout: float) -> list[NumpyLayer]:
    first, second = _FILTERS
    layers: list[NumpyLayer] = [Convolution(1, first, rng), Relu(), MaxPool()]
    layers += [Convolution(first, second, rng), Relu(), MaxPool(), Flatten()]
    return [*layers, *_dropout(rng, dropout), Dense(second * (_FRAME // 4) ** 2, LABELS, rng)]


def _dropout(rng: Rng, share: float) -> list[NumpyLayer]:
    return [Dropout(share, rng)] if share else []


CONTESTANTS = (
    Contestant("dense", _dense),
    Contestant("dense + dropout", _dense, "dropout"),
    Contestant("dense + augmentation", _dense, "augmentation"),
    Contestant("convolutions", _convolutions),
    Contestant("convolutions + dropout", _convolutions, "dropout"),
    Contestant("convolutions + augmentation", _convolutions, "augmentation"),
)


def learn_overfit(samples: int, epochs: int, dropout: float, shift: int, seed: int, out: Path) -> Lesson:
    """Trains every contestant on the same few digits, and judges it on 450 others after each epoch.

    Args:
        samples: training digits.
        epochs: passes over them.
        dropout: share of values that the remedy drops.
        shift: pixels that augmentation moves a digit at most, along each axis.
        seed: of the choice of digits, first weights and order.
        out: the picture.

    Raises:
        TinymlError: scikit-learn is missing, or the picture cannot be written.
    """
    every, test = digits()
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(every.labels))[:samples]
    train = (_placed(every.pixels[some], rng), every.labels[some])
    others = (_placed(test.pixels, rng), test.labels)
    found = [_trained(each, train, others, epochs, dropout, shift, seed) for each in CONTESTANTS]
    outcome = Overfitted(
        samples=samples,
        test_items=len(test.labels),
        dropout=dropout,
        shift=shift,
        networks=found,
        picture=str(out),
    )
    _draw(out, outcome)
    rows = [
        [
            each.name,
            f"{each.parameters:,}",
            f"{each.train_accuracy:.1%}",
            f"{each.test_accuracy:.1%}",
            f"{each.gap * 100:.1f}",
            each.best_epoch,
        ]
        for each in found
    ]
    heads = ("network", "parameters", "training", "test", "gap (points)", "best epoch")
    return Lesson(
        outcome,
        _sentences(outcome),
        "gap between training and test, in points\n"
        + terminal.bars({each.name: each.gap * 100 for each in found}),
        [(f"After {counted(epochs, 'epoch')} on {counted(samples, 'digit')}", heads, rows)],
    )


def _placed(pixels: Array, rng: Rng) -> Array:
    """Digits anywhere in a larger frame, [n, 12, 12, 1]: centred ones would be too easy for dense layers."""
    around = (_FRAME - SIDE) // 2
    framed = np.pad(pixels / LARGEST_PIXEL, ((0, 0), (around, around), (around, around)))
    return shifted(framed[..., None], around, rng)


def _trained(
    contestant: Contestant,
    train: tuple[Array, NDArray[np.int64]],
    test: tuple[Array, NDArray[np.int64]],
    epochs: int,
    dropout: float,
    shift: int,
    seed: int,
) -> OverfittedNetwork:
    rng = np.random.default_rng(seed)
    network = NumpyNetwork(contestant.layers(rng, dropout if contestant.remedy == "dropout" else 0.0))
    curve: list[LearnedEpoch] = []

    def batches() -> list[tuple[Array, Any]]:
        order = rng.permutation(len(train[1]))
        x = shifted(train[0], shift, rng) if contestant.remedy == "augmentation" else train[0]
        return [(x[some], train[1][some]) for some in np.array_split(order, -(-len(order) // _BATCH))]

    def after(epoch: int) -> bool:
        curve.append(judged(network, epoch, train, test))
        return False

    fit(network, batches, cross_entropy, optimiser("adam"), epochs, after)
    last = curve[-1]
    return OverfittedNetwork(
        name=contestant.name,
        parameters=network.size,
        remedy=contestant.remedy,
        train_accuracy=last.train_accuracy,
        test_accuracy=last.test_accuracy,
        gap=last.train_accuracy - last.test_accuracy,
        best_epoch=min(curve, key=lambda each: each.test_loss).epoch,
        epochs=curve,
    )


def shifted(x: Array, most: int, rng: Rng) -> Array:
    """Pictures [n, rows, columns, channels], each moved by up to `most` pixels, over zeros."""
    rows, columns = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (most, most), (most, most), (0, 0)))
    starts = rng.integers(0, 2 * most + 1, (len(x), 2))
    parts = [picture[r : r + rows, c : c + columns] for picture, (r, c) in zip(padded, starts, strict=True)]
    return np.stack(parts)


def _sentences(found: Overfitted) -> str:
    worst = max(found.networks, key=lambda each: each.gap)
    best = max(found.networks, key=lambda each: each.test_accuracy)
    turned = [
        f"{each.name} after epoch {each.best_epoch}"
        for each in found.networks
        if each.best_epoch < each.epochs[-1].epoch
    ]
    turn = (
        f"The test loss rises again, a sign of learning by heart: {', '.join(turned)}."
        if turned
        else "No network's test loss has risen again so far: try more --epochs."
    )
    return (
        f"Widest gap: {worst.name}, right on {worst.train_accuracy:.1%} of the training digits and on "
        f"{worst.test_accuracy:.1%} of the {found.test_items} test digits.\n"
        f"Best on the test digits: {best.name}, {best.test_accuracy:.1%}.\n"
        f"{turn}\n"
        f"Picture: {found.picture}"
    )


def _draw(path: Path, found: Overfitted) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(11, 5.5)
    every = [
        loss for each in found.networks for one in each.epochs for loss in (one.train_loss, one.test_loss)
    ]
    limits = max(min(every) / 1.2, 1e-6), max(every) * 1.2
    for place, each in enumerate(found.networks, 1):
        axes: Any = figure.add_subplot(2, len(found.networks) // 2, place)
        numbers = [one.epoch for one in each.epochs]
        for name, colour in (("train", TRAIN_COLOUR), ("test", TEST_COLOUR)):
            losses = [max(getattr(one, f"{name}_loss"), 1e-6) for one in each.epochs]
            axes.semilogy(
                numbers, losses, color=colour, label=f"{name} {getattr(each, f'{name}_accuracy'):.1%}"
            )
        axes.set_ylim(*limits)
        axes.minorticks_off()
        axes.axvline(each.best_epoch, color="#5b6770", linewidth=0.8, linestyle=":")
        axes.set_title(f"{each.name}: gap {each.gap * 100:.1f} points", fontsize=9)
        axes.set_xlabel("epoch", fontsize=8)
        axes.set_ylabel("loss", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.legend(fontsize=7, title="accuracy", title_fontsize=7)
    pictures.write(path, figure, _DPI)
