"""`tinyml learn neuron`: one neuron, or a few, learn points; their answer is worked out line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.learn import inputs
from tinyml_cli.learn.layers import Array, Dense, Relu
from tinyml_cli.learn.lesson import Lesson, number
from tinyml_cli.learn.line import POINTS
from tinyml_cli.learn.network import NumpyNetwork, check_rate, fit, optimiser, squared_error
from tinyml_cli.outcomes.lessons import Neurons, NeuronSnapshot
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

_DPI = 110
_CURVE = 121


def learn_neuron(
    hidden: int,
    epochs: int,
    rate: float,
    predict: float,
    snapshots: str | None,
    points: str | None,
    seed: int,
    out: Path,
) -> Lesson:
    """Trains neurons on points, all of them in each step of SGD.

    Args:
        hidden: neurons with ReLU before the last one; 0 for one neuron alone.
        epochs: steps of training.
        rate: the learning rate.
        predict: the x whose answer is worked out.
        snapshots: epochs to look at, such as "1,10,100"; None: 1, a tenth, a third, all.
        points: as `inputs.points` reads them; None: those of `line.POINTS`.
        seed: of the first weights.
        out: the picture.

    Raises:
        TinymlError: wrong snapshots or points, a rate at which the first epoch fails, or the picture cannot
            be written.
    """
    data = inputs.points(points or POINTS, "--points")
    wanted = inputs.counts(snapshots, "--snapshots", epochs) if snapshots else [1, epochs // 10, epochs // 3]
    network, rng = NumpyNetwork([]), np.random.default_rng(seed)
    network.layers = [Dense(1, hidden, rng), Relu(), Dense(hidden, 1, rng)] if hidden else [Dense(1, 1, rng)]
    x, y = data[:, :1], data[:, 1:]
    losses: list[float] = []
    seen: list[NeuronSnapshot] = []
    curves: list[Array] = []
    margin = 0.15 * np.ptp(x)
    grid = np.linspace(x.min() - margin, x.max() + margin, _CURVE)[:, None]

    def after(epoch: int) -> bool:
        losses.append(squared_error(network(x), y)[0])
        if epoch in wanted or epoch == epochs:
            seen.append(_snapshot(network, epoch, losses[-1], predict))
            curves.append(network(grid)[:, 0])
        return False

    diverged = fit(network, lambda: [(x, y)], squared_error, optimiser("sgd", rate), epochs, after)
    check_rate(diverged, len(losses), rate)
    if diverged:
        seen.append(_snapshot(network, len(losses), losses[-1], predict))
        curves.append(network(grid)[:, 0])
    outcome = Neurons(
        hidden=hidden,
        parameters=network.size,
        rate=rate,
        epochs=len(losses),
        diverged=diverged,
        loss=losses[-1],
        snapshots=seen,
        weights=[layer.parameters[0].tolist() for layer in network.layers if layer.parameters],
        biases=[layer.parameters[1].tolist() for layer in network.layers if layer.parameters],
        x=predict,
        prediction=float(network(np.array([[predict]]))[0, 0]),
        by_hand=_by_hand(network, predict),
        picture=str(out),
    )
    _draw(out, data, grid[:, 0], curves, outcome, losses)
    drawing = terminal.plot(grid[:, 0].tolist(), curves[-1].tolist(), [(a, b) for a, b in data.tolist()])
    rows = [[each.epoch, number(each.loss), number(each.prediction)] for each in seen]
    heads = ("epoch", "loss", f"answer to {number(predict)}")
    return Lesson(outcome, _sentences(outcome), drawing, [("Training", heads, rows)])


def _snapshot(network: NumpyNetwork, epoch: int, loss: float, predict: float) -> NeuronSnapshot:
    return NeuronSnapshot(epoch=epoch, loss=loss, prediction=float(network(np.array([[predict]]))[0, 0]))


def _by_hand(network: NumpyNetwork, x: float) -> list[str]:
    """The answer, one line for each neuron."""
    layers = [layer for layer in network.layers if layer.parameters]
    values, lines = [x], []
    for depth, layer in enumerate(layers):
        is_last = depth == len(layers) - 1
        weights, biases = layer.parameters
        answers = []
        for unit, bias in enumerate(biases):
            terms = [f"{number(w)} × {number(v)}" for w, v in zip(weights[:, unit], values, strict=True)]
            total = float(np.dot(weights[:, unit], values) + bias)
            text = f"{' + '.join(terms)} + {number(bias)}".replace("+ -", "- ")
            name = "output" if is_last else f"neuron {unit + 1}"
            answers.append(total if is_last else max(total, 0.0))
            lines.append(f"{name} = {text if is_last else f'relu({text})'} = {number(answers[-1])}")
        values = answers
    return lines


def _sentences(found: Neurons) -> str:
    fate = (
        f"It diverged after {counted(found.epochs, 'epoch')}: try a rate below {number(found.rate)}."
        if found.diverged
        else f"After {counted(found.epochs, 'epoch')} the loss is {number(found.loss)}."
    )
    lines = "\n".join(f"  {line}" for line in found.by_hand)
    return (
        f"{counted(found.hidden + 1, 'neuron')} with {counted(found.parameters, 'parameter')}. {fate}\n"
        f"The answer to x = {number(found.x)} by hand:\n{lines}\nPicture: {found.picture}"
    )


def _draw(
    path: Path, data: Array, grid: Array, curves: list[Array], found: Neurons, losses: list[float]
) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(9, 4)
    axes: Any = figure.add_subplot(1, 2, 1)
    for n, (curve, each) in enumerate(zip(curves, found.snapshots, strict=True), 1):
        shade = n / len(curves)
        label = f"epoch {each.epoch:,}: loss {number(each.loss)}"
        axes.plot(grid, curve, color="#0072b2", alpha=0.15 + 0.85 * shade, linewidth=0.8 + shade, label=label)
    axes.plot(data[:, 0], data[:, 1], "o", color="#d55e00", label="points")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.legend(fontsize=7)
    axes.set_title(f"{counted(found.hidden + 1, 'neuron')} at chosen epochs", fontsize=9)
    axes = figure.add_subplot(1, 2, 2)
    axes.semilogy(range(1, len(losses) + 1), np.maximum(losses, 1e-15), color="#c23b22")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    pictures.write(path, figure, _DPI)
