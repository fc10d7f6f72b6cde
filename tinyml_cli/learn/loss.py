"""`tinyml learn loss`: how wrong a line is, point by point, and all lines beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyml_cli.learn import inputs
from tinyml_cli.learn.landscape import Landscape
from tinyml_cli.learn.lesson import Lesson, line_text, number
from tinyml_cli.learn.line import POINTS, LineFit
from tinyml_cli.outcomes.lessons import JudgedLine, JudgedPoint

_DPI = 110


def learn_loss(w: float, b: float, points: str | None, out: Path) -> Lesson:
    """Judges a line by its mean squared error.

    Args:
        w: the line's slope.
        b: its value at x = 0.
        points: as `inputs.points` reads them; None: those of `line.POINTS`.
        out: the picture.

    Raises:
        TinymlError: the points are none, or the picture cannot be written.
    """
    fit = LineFit(inputs.points(points or POINTS, "--points"))
    best = fit.best()
    judged = [
        JudgedPoint(x=x, y=y, prediction=w * x + b, error=w * x + b - y, squared_error=(w * x + b - y) ** 2)
        for x, y in fit.points.tolist()
    ]
    loss, (slope_w, slope_b) = float(fit.loss(w, b)), fit.gradient(w, b)
    outcome = JudgedLine(
        w=w,
        b=b,
        points=judged,
        loss=loss,
        gradient_w=slope_w,
        gradient_b=slope_b,
        best_w=best[0],
        best_b=best[1],
        best_loss=float(fit.loss(*best)),
        picture=str(out),
    )
    landscape = Landscape.around(fit, [(w, b), best])
    _draw(out, fit, outcome, landscape)
    return Lesson(
        outcome,
        _sentences(outcome),
        landscape.drawing({"x": (w, b), "o": best}, "x: your line, o: the best"),
        [("Each point", ("x", "y", "w x + b", "error", "squared"), [_row(point) for point in judged])],
    )


def _row(point: JudgedPoint) -> list[str]:
    return [number(v) for v in (point.x, point.y, point.prediction, point.error, point.squared_error)]


def _sentences(found: JudgedLine) -> str:
    steps = [
        f"{'lower' if slope > 0 else 'raise'} {name}"
        for name, slope in (("w", found.gradient_w), ("b", found.gradient_b))
        if abs(slope) > 1e-9
    ]
    moves = " and ".join(steps) or "no small step lowers it"
    return (
        f"The loss of {line_text(found.w, found.b)} is {number(found.loss)}: the mean of the squared "
        f"errors.\nIts slope is {number(found.gradient_w)} along w and {number(found.gradient_b)} along b: "
        f"{moves}.\n"
        f"The smallest loss, {number(found.best_loss)}, is at w = {number(found.best_w)}, "
        f"b = {number(found.best_b)}.\n"
        f"Picture: {found.picture}"
    )


def _draw(path: Path, fit: LineFit, found: JudgedLine, landscape: Landscape) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(9, 4)
    axes: Any = figure.add_subplot(1, 2, 1)
    x = fit.x
    for point in found.points:
        axes.plot([point.x, point.x], [point.y, point.prediction], color="#c23b22", linewidth=1)
    axes.plot(x, fit.y, "o", color="#1b2a41", label="points")
    ends = [float(x.min()), float(x.max())]
    axes.plot(ends, [found.w * e + found.b for e in ends], color="#0072b2", label="your line")
    axes.plot(ends, [found.best_w * e + found.best_b for e in ends], "--", color="#5b6770", label="best line")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.legend(fontsize=8)
    axes.set_title(f"Loss {number(found.loss)}: mean of the squared red lengths", fontsize=9)
    axes = figure.add_subplot(1, 2, 2)
    landscape.draw(axes)
    axes.plot(found.w, found.b, "x", color="white", markersize=9)
    axes.plot(found.best_w, found.best_b, "o", color="#d55e00")
    axes.set_title("Loss of every line: yours ×, the best line ●", fontsize=9)
    pictures.write(path, figure, _DPI)
