"""`tinyml learn descent`: gradient descent on the loss of a line, and the rate at which it breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.learn import inputs
from tinyml_cli.learn.landscape import Landscape
from tinyml_cli.learn.lesson import Lesson, number
from tinyml_cli.learn.line import POINTS, LineFit
from tinyml_cli.outcomes.lessons import Descended, DescentStep
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

_DPI = 110
# Of the first loss; a descent that has grown so far does not come back.
_HOPELESS = 1e6
_SHOWN = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def learn_descent(rate: float, start: str, steps: int, points: str | None, out: Path) -> Lesson:
    """Walks down the landscape of the loss.

    Args:
        rate: the learning rate: how far along the negative gradient each step goes.
        start: the first w and b, such as "8,-2".
        steps: how many at most; a descent that diverges ends earlier.
        points: as `inputs.points` reads them; None: those of `line.POINTS`.
        out: the picture.

    Raises:
        TinymlError: the start or the points are none, or the picture cannot be written.
    """
    fit = LineFit(inputs.points(points or POINTS, "--points"))
    path = _descend(fit, rate, inputs.pair(start, "--start"), steps)
    best = fit.best()
    outcome = Descended(
        rate=rate,
        largest_rate=fit.largest_rate(),
        diverged=rate > fit.largest_rate() and path[-1].loss > float(fit.loss(*best)),
        w=path[-1].w,
        b=path[-1].b,
        loss=path[-1].loss,
        best_w=best[0],
        best_b=best[1],
        best_loss=float(fit.loss(*best)),
        steps=path,
        picture=str(out),
    )
    landscape = Landscape.around(fit, [(path[0].w, path[0].b), best, *_near(path, best)])
    _draw(out, outcome, landscape)
    marks = {"o": best, "s": (path[0].w, path[0].b)}
    seen = landscape.drawing(_trail(path) | marks, "s: start, 1 to 9: steps, o: the best")
    drawing = f"{seen}\n\nlog10 of the loss, step by step\n{_curve(path)}"
    rows = [
        [step.step, number(step.w), number(step.b), number(step.loss)]
        for step in path
        if step.step in _SHOWN or step is path[-1]
    ]
    return Lesson(outcome, _sentences(outcome), drawing, [("Descent", ("step", "w", "b", "loss"), rows)])


def _descend(fit: LineFit, rate: float, start: tuple[float, float], steps: int) -> list[DescentStep]:
    w, b = start
    path = [DescentStep(step=0, w=w, b=b, loss=float(fit.loss(w, b)))]
    for step in range(1, steps + 1):
        slope_w, slope_b = fit.gradient(w, b)
        w, b = w - rate * slope_w, b - rate * slope_b
        path.append(DescentStep(step=step, w=w, b=b, loss=float(fit.loss(w, b))))
        if path[-1].loss > _HOPELESS * max(path[0].loss, 1e-9):
            break
    return path


def _near(path: list[DescentStep], best: tuple[float, float]) -> list[tuple[float, float]]:
    """Places no further from the best than twice the start: a path that diverges would hide the rest."""
    first = np.hypot(path[0].w - best[0], path[0].b - best[1])
    return [(s.w, s.b) for s in path if np.hypot(s.w - best[0], s.b - best[1]) <= 2 * first]


def _trail(path: list[DescentStep]) -> dict[str, tuple[float, float]]:
    """The first nine steps by their digits."""
    return {str(step.step): (step.w, step.b) for step in reversed(path[1:10])}


def _curve(path: list[DescentStep]) -> str:
    losses = np.log10(np.maximum([step.loss for step in path], 1e-12))
    return terminal.plot([step.step for step in path], losses.tolist(), height=6)


def _sentences(found: Descended) -> str:
    last = found.steps[-1].step
    limit = f"For these points any rate below {number(found.largest_rate)} converges"
    if found.diverged:
        what = (
            f"It diverges: each step overshoots further than the one before. The loss was "
            f"{number(found.steps[0].loss)} at the start and is {number(found.loss)} after "
            f"{counted(last, 'step')}.\n"
            f"{limit}; {number(found.rate)} is above it."
        )
    else:
        what = (
            f"After {counted(last, 'step')} w = {number(found.w)}, b = {number(found.b)} and the loss is "
            f"{number(found.loss)}; the best line has w = {number(found.best_w)}, b = {number(found.best_b)} "
            f"and {number(found.best_loss)}.\n{limit}: try one just below and one just above."
        )
    return f"{what}\nPicture: {found.picture}"


def _draw(path: Path, found: Descended, landscape: Landscape) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(9, 4)
    grid = figure.add_gridspec(2, 2)
    axes: Any = figure.add_subplot(grid[:, 0])
    landscape.draw(axes)
    limits = axes.get_xlim(), axes.get_ylim()
    axes.plot([s.w for s in found.steps], [s.b for s in found.steps], ".-", color="white", linewidth=1)
    axes.plot(found.best_w, found.best_b, "o", color="#d55e00")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    axes.set_title(f"Path at rate {number(found.rate)}; orange: the best line", fontsize=9)
    axes = figure.add_subplot(grid[0, 1])
    axes.semilogy([s.step for s in found.steps], [max(s.loss, 1e-15) for s in found.steps], color="#c23b22")
    axes.set_ylabel("loss")
    axes = figure.add_subplot(grid[1, 1])
    for name, colour, best in (("w", "#0072b2", found.best_w), ("b", "#d55e00", found.best_b)):
        axes.plot(
            [s.step for s in found.steps], [getattr(s, name) for s in found.steps], color=colour, label=name
        )
        axes.axhline(best, color=colour, linewidth=0.7, linestyle="--")
    axes.set_xlabel("step")
    axes.legend(fontsize=8)
    pictures.write(path, figure, _DPI)
