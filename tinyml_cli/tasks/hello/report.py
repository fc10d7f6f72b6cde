"""report.html and the picture of the sine."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import registry
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.curves import EvaluatedCurve
from tinyml_cli.pages import charts, report

_DPI = 110


def render(name: str, outcome: EvaluatedCurve, manifest: Manifest) -> str:
    """The page as text.

    Args:
        name: the run.
        outcome: what was measured.
        manifest: gives hashes and sizes.
    """
    items = registry.task(manifest.task).items(manifest)
    return report.render(
        "hello.html", name, outcome, manifest, items, charts={"curve": charts.curve(outcome.points)}
    )


def curve_png(path: Path, outcome: EvaluatedCurve, title: str) -> None:
    """The sine with the answers of both models, and beneath them their errors."""
    from tinyml_cli.pages import pictures

    figure = pictures.new(7, 5)
    curve, errors = figure.subplots(2, sharex=True, height_ratios=[2, 1])
    x, truth = [point.x for point in outcome.points], [point.truth for point in outcome.points]
    float32, int8 = [point.float32 for point in outcome.points], [point.int8 for point in outcome.points]
    curve.plot(x, truth, color="#9aa5b1", lw=3, label="sine")
    curve.plot(x, float32, color="#0072b2", lw=1, label="float32")
    curve.plot(x, int8, ".", color="#d55e00", ms=4, label="int8")
    curve.legend(fontsize=8)
    curve.set_ylabel("y")
    curve.set_title(f"{title}: mean error of int8 {outcome.int8.mean:.3f}, n = {outcome.n}", fontsize=10)
    for values, style, color in ((float32, "-", "#0072b2"), (int8, ".", "#d55e00")):
        errors.plot(x, [a - b for a, b in zip(values, truth, strict=True)], style, color=color, lw=1, ms=4)
    errors.axhline(0, color="#9aa5b1", lw=1)
    errors.set_ylabel("error")
    errors.set_xlabel("x")
    pictures.write(path, figure, _DPI)
