"""`tinyml learn digits`: a network of dense layers, its parameters, what it answers and how sure it is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.learn.curves import judged
from tinyml_cli.learn.handwriting import LABELS, LARGEST_PIXEL, SIDE, Handwriting, digits
from tinyml_cli.learn.layers import Array, Dense, NumpyLayer, Relu
from tinyml_cli.learn.lesson import Lesson, number
from tinyml_cli.learn.network import RATES, NumpyNetwork, check_rate, cross_entropy, fit, optimiser, softmax
from tinyml_cli.outcomes.lessons import AnsweredDigit, DigitLayer, LearnedDigits, LearnedEpoch
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

_BATCH = 32
_DPI = 110
_SHOWN = 24
_NAMES = {"sgd": "SGD", "adam": "Adam"}


@dataclass(frozen=True)
class DigitOptions:
    """What a student may choose.

    Attributes:
        units: neurons of each hidden layer.
        layers: hidden layers.
        epochs: passes over the training digits, at most.
        optimiser: "sgd" or "adam".
        rate: learning rate; None: the optimiser's in `network.RATES`.
        normalise: whether pixels are divided by 16, so that they lie between 0 and 1.
        stop_at: accuracy on the training digits at which training ends; None: never.
        item: which test digit to explain.
        seed: of first weights and order.
    """

    units: int
    layers: int
    epochs: int
    optimiser: str
    rate: float | None
    normalise: bool
    stop_at: float | None
    item: int
    seed: int


def learn_digits(chosen: DigitOptions, out: Path) -> Lesson:
    """Trains and judges a network.

    Raises:
        TinymlError: scikit-learn or the test digit is missing, the first epoch fails at this rate, or the
            picture cannot be written.
    """
    train, test = digits()
    if chosen.item >= len(test.labels):
        raise TinymlError(
            f"There is no test digit {chosen.item:,}",
            "--item",
            f"Choose one from 0 to {len(test.labels) - 1}.",
        )
    rng = np.random.default_rng(chosen.seed)
    network = _network(chosen, rng)
    inputs = [_inputs(part, chosen) for part in (train, test)]
    epochs: list[LearnedEpoch] = []

    def batches() -> list[tuple[Array, Any]]:
        order = rng.permutation(len(train.labels))
        return [
            (inputs[0][some], train.labels[some]) for some in np.array_split(order, -(-len(order) // _BATCH))
        ]

    def after(epoch: int) -> bool:
        epochs.append(judged(network, epoch, (inputs[0], train.labels), (inputs[1], test.labels)))
        return chosen.stop_at is not None and epochs[-1].train_accuracy >= chosen.stop_at

    update = optimiser(chosen.optimiser, _rate(chosen))
    diverged = fit(network, batches, cross_entropy, update, chosen.epochs, after)
    check_rate(diverged, len(epochs), _rate(chosen))
    answers = softmax(network(inputs[1]))
    outcome = _outcome(chosen, network, epochs, diverged, test, answers, out)
    _draw(out, outcome, test, answers)
    bars = {str(label): share for label, share in enumerate(outcome.item.outputs)}
    digit = np.rint(test.pixels[chosen.item] * 255 / LARGEST_PIXEL).astype(np.uint8)
    layers = [[each.name, each.formula, f"{each.parameters:,}"] for each in outcome.layers]
    return Lesson(
        outcome,
        _sentences(outcome),
        f"{terminal.shades(digit, size=(SIDE, 2 * SIDE))}\n\n{terminal.bars(bars)}",
        [("Parameters", ("layer", "inputs x neurons + biases", "parameters"), layers)],
    )


def _network(chosen: DigitOptions, rng: np.random.Generator) -> NumpyNetwork:
    sizes = [SIDE * SIDE, *[chosen.units] * chosen.layers, LABELS]
    layers: list[NumpyLayer] = []
    for before, after in itertools.pairwise(sizes):
        layers += [Dense(before, after, rng), Relu()]
    return NumpyNetwork(layers[:-1])


def _rate(chosen: DigitOptions) -> float:
    return RATES[chosen.optimiser] if chosen.rate is None else chosen.rate


def _inputs(part: Handwriting, chosen: DigitOptions) -> Array:
    flat = part.pixels.reshape(len(part.labels), -1)
    return flat / LARGEST_PIXEL if chosen.normalise else flat


def _outcome(
    chosen: DigitOptions,
    network: NumpyNetwork,
    epochs: list[LearnedEpoch],
    diverged: bool,
    test: Handwriting,
    answers: Array,
    out: Path,
) -> LearnedDigits:
    weights = [layer.parameters[0].shape for layer in network.layers if layer.parameters]
    names = [f"hidden {n}" for n in range(1, len(weights))] + ["output"]
    outputs = answers[chosen.item]
    return LearnedDigits(
        layers=[
            DigitLayer(name=name, formula=f"{ins:,} x {outs:,} + {outs:,}", parameters=ins * outs + outs)
            for name, (ins, outs) in zip(names, weights, strict=True)
        ],
        parameters=network.size,
        float32_bytes=4 * network.size,
        int8_bytes=network.size,
        normalised=chosen.normalise,
        optimiser=chosen.optimiser,
        rate=_rate(chosen),
        epochs=epochs,
        stopped_early=len(epochs) < chosen.epochs and not diverged,
        diverged=diverged,
        test_accuracy=float(np.mean(answers.argmax(axis=1) == test.labels)),
        test_items=len(test.labels),
        item=AnsweredDigit(
            item=chosen.item,
            label=int(test.labels[chosen.item]),
            answer=int(outputs.argmax()),
            outputs=outputs.tolist(),
        ),
        picture=str(out),
    )


def _sentences(found: LearnedDigits) -> str:
    item, rate = found.item, number(found.rate)
    fate = f"{counted(len(found.epochs), 'epoch')} of {_NAMES[found.optimiser]} at a rate of {rate}"
    if found.diverged:
        fate += ", then it diverged: try a smaller rate"
    elif found.stopped_early:
        fate += ", stopped early: the wanted accuracy was reached"
    pixels = "divided by 16" if found.normalised else "as they are, from 0 to 16"
    right = f"{found.test_accuracy:.1%} of {counted(found.test_items, 'test digit')} are right"
    return (
        f"{found.parameters:,} parameters: {found.float32_bytes:,} bytes as float32, {found.int8_bytes:,} as "
        f"int8.\n{fate}; pixels {pixels}.\n{right}.\n"
        f"Test digit {item.item} is a {item.label}; the network answers {item.answer}, with a "
        f"softmax output of {max(item.outputs):.3f}.\nPicture: {found.picture}"
    )


def _draw(path: Path, found: LearnedDigits, test: Handwriting, answers: Array) -> None:
    from tinyml_cli.learn.curves import plot_accuracy
    from tinyml_cli.pages import pictures

    figure = pictures.new(10, 4.2)
    grid = figure.add_gridspec(2, 2)
    plot_accuracy(figure.add_subplot(grid[0, 0]), found.epochs)
    axes: Any = figure.add_subplot(grid[1, 0])
    axes.bar(range(LABELS), found.item.outputs, color="#0072b2")
    axes.set_xticks(range(LABELS))
    axes.set_title(f"Softmax for test digit {found.item.item}, a {found.item.label}", fontsize=9)
    axes = figure.add_subplot(grid[:, 1])
    axes.set_title("Test digits and answers; mistakes first, in red", fontsize=9)
    _draw_digits(axes, test, answers.argmax(axis=1))
    pictures.write(path, figure, _DPI)


def _draw_digits(axes: Any, test: Handwriting, given: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(given != test.labels)
    shown = [*wrong[: _SHOWN // 2], *np.flatnonzero(given == test.labels)][:_SHOWN]
    cell, columns = SIDE + 4, _SHOWN // 4
    sheet = np.zeros((4 * cell, columns * cell))
    for place, n in enumerate(shown):
        top, left = place // columns * cell + 3, place % columns * cell + 2
        sheet[top : top + SIDE, left : left + SIDE] = test.pixels[n]
        colour = "#1b2a41" if given[n] == test.labels[n] else "#c23b22"
        axes.text(left + SIDE / 2, top - 0.7, str(given[n]), fontsize=9, color=colour, ha="center")
    axes.imshow(sheet, cmap="gray_r")
    axes.set_axis_off()
