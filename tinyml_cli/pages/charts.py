"""The charts of report.html, from the figures of metrics.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from tinyml_cli.outcomes.anomalies import ScoreCurve
from tinyml_cli.outcomes.attacks import Attacked
from tinyml_cli.outcomes.curves import CurvePoint
from tinyml_cli.outcomes.evaluations import Calibration, Noise, RocCurve
from tinyml_cli.outcomes.federations import Federation
from tinyml_cli.outcomes.streams import EvaluatedStream
from tinyml_cli.pages.colours import colour
from tinyml_cli.pages.svg_chart import Chart, Tick
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from markupsafe import Markup

_NORMAL = NormalDist()
_DET_LOWEST, _DET_HIGHEST = 0.001, 0.6
_PERCENT: list[Tick] = [(0.0, "0"), (0.2, "20"), (0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %")]
_DET: list[Tick] = [
    (0.001, "0.1"),
    (0.005, "0.5"),
    (0.02, "2"),
    (0.05, "5"),
    (0.1, "10"),
    (0.2, "20"),
    (0.4, "40"),
    (0.6, "60 %"),
]


def roc(curves: Mapping[str, RocCurve]) -> Markup:
    """True against false positive rate of every class against the rest."""
    chart = Chart(_PERCENT, _PERCENT, "False positive rate", "True positive rate", square=True)
    chart.line([(0, 0), (1, 1)], "guide")
    for index, curve in enumerate(curves.values()):
        points = list(zip(curve.false_positive_rate, curve.true_positive_rate, strict=True))
        chart.line(points, colour(index))
    areas = ", ".join(f"{label} {curve.auc:.3f}" for label, curve in curves.items())
    return chart.render(f"ROC curves; areas: {areas}")


def det(curves: Mapping[str, RocCurve]) -> Markup:
    """Misses against false accepts on normal-deviate axes.

    A. Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997.
    """
    chart = Chart(_DET, _DET, "False accepts", "Misses", scale=_probit, square=True)
    chart.line([(_DET_LOWEST, _DET_LOWEST), (_DET_HIGHEST, _DET_HIGHEST)], "guide")
    for index, curve in enumerate(curves.values()):
        rates = zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)
        chart.line([(accepted, 1 - found) for accepted, found in rates], colour(index))
    rates_text = ", ".join(f"{label} {curve.equal_error_rate:.1%}" for label, curve in curves.items())
    return chart.render(f"DET curves; equal error rates: {rates_text}")


def _probit(share: float) -> float:
    return _NORMAL.inv_cdf(min(max(share, _DET_LOWEST), _DET_HIGHEST))


def reliability(calibration: Calibration) -> Markup:
    """How often answers of each confidence are right; the diagonal is a model that can be believed."""
    chart = Chart(_PERCENT, _PERCENT, "Confidence", "Right", square=True)
    chart.line([(0, 0), (1, 1)], "guide")
    total = sum(entry.n for entry in calibration.bins)
    for entry in calibration.bins:
        low, high = entry.ci95
        chart.whisker(entry.confidence, low, high, "c0")
        hint = f"{entry.low:.0%} to {entry.high:.0%}: {entry.accuracy:.1%} right, n = {entry.n}"
        chart.dot(entry.confidence, entry.accuracy, "c0", hint, 3 + 8 * (entry.n / total) ** 0.5)
    return chart.render(f"Reliability diagram; expected calibration error {calibration.ece:.3f}")


def noise(sweep: Noise, labels: Sequence[str]) -> Markup:
    """Accuracy and recall of each label from clean clips to loud noise."""
    points = sweep.points
    ticks = [
        (float(i), "none" if point.snr_db is None else f"{point.snr_db:g}") for i, point in enumerate(points)
    ]
    chart = Chart(ticks, _PERCENT, "Signal-to-noise ratio (dB)", "Accuracy and recall")
    chart.band([(float(i), *point.ci95) for i, point in enumerate(points)], "all")
    for index, label in enumerate(labels):
        recalls = [(float(i), point.recall[label]) for i, point in enumerate(points)]
        line = [(i, recall) for i, recall in recalls if recall is not None]
        if line:
            chart.line(line, f"thin {colour(index)}")
    chart.line([(float(i), point.accuracy) for i, point in enumerate(points)], "all")
    for i, point in enumerate(points):
        low, high = point.ci95
        hint = f"{ticks[i][1]} dB: {point.accuracy:.1%} ({low:.1%} to {high:.1%}), n = {point.n}"
        chart.dot(float(i), point.accuracy, "all", hint)
    text = ", ".join(f"{ticks[i][1]} dB {point.accuracy:.1%}" for i, point in enumerate(points))
    return chart.render(f"Accuracy in noise: {text}")


def attack(outcome: Attacked) -> Markup:
    """Success from the quietest to the loudest perturbation: attack, defended variant, noise."""
    points = outcome.points
    ticks = [(float(i), f"{point.snr_db:g}") for i, point in enumerate(points)]
    ends = ticks if len(ticks) > 1 else [(-1.0, ""), *ticks, (1.0, "")]
    chart = Chart(ends, _PERCENT, "Signal-to-noise ratio (dB)", "Success")
    chart.band([(float(i), *point.device.ci95) for i, point in enumerate(points)], "all")
    lines = {"all": [point.device for point in points], colour(0): [point.noise_device for point in points]}
    if outcome.defence is not None:
        lines[colour(1)] = [point.device for point in outcome.defence.points]
    for style, shares in lines.items():
        chart.line([(float(i), each.share) for i, each in enumerate(shares)], style)
        for i, each in enumerate(shares):
            low, high = each.ci95
            hint = f"{ticks[i][1]} dB: {each.share:.1%} ({low:.1%} to {high:.1%}), n = {each.n}"
            chart.dot(float(i), each.share, style, hint)
    told = ", ".join(f"{point.snr_db:g} dB {point.device.share:.1%}" for point in points)
    return chart.render(f"Success of the attack: {told}")


def stream_det(outcome: EvaluatedStream) -> Markup:
    """Missed words against false accepts an hour at rising thresholds, on a log axis, by noise."""
    none = 0.5 / outcome.hours
    highest = max((point.fa_per_hour for point in outcome.det), default=1.0)
    ends = math.floor(math.log10(none)), math.ceil(math.log10(max(highest, 2 * none)))
    ticks = [(float(power), f"{10.0**power:g}") for power in range(ends[0], ends[1] + 1)]
    chart = Chart(ticks, _PERCENT, "False accepts per hour", "Words missed")
    at = [math.log10(max(point.fa_per_hour, none)) for point in outcome.det]
    for index, band in enumerate(outcome.det_snr_db):
        line = [(x, misses / band.of) for x, misses in zip(at, band.misses, strict=True)]
        chart.line(line, f"thin {colour(index)}")
    chart.line([(x, point.frr or 0.0) for x, point in zip(at, outcome.det, strict=True)], "all")
    used = outcome.recognizer.threshold
    x, point = min(zip(at, outcome.det, strict=True), key=lambda pair: abs(pair[1].threshold - used))
    told = f"{point.fa_per_hour:.2f} false accepts per hour, {point.frr or 0.0:.1%} missed"
    chart.dot(x, point.frr or 0.0, "all", f"threshold {used:g}: {told}")
    return chart.render(f"Misses against false accepts; in use: threshold {used:g}, {told}")


def scores(curves: Mapping[str, ScoreCurve]) -> Markup:
    """Of each condition the share of windows that reach a multiple of the threshold, on a log axis."""
    lowest = min((curve.score[0] for curve in curves.values()), default=1.0)
    highest = max((curve.score[-1] for curve in curves.values()), default=1.0)
    ends = math.floor(min(math.log10(lowest), -0.5)), math.ceil(max(math.log10(highest), 0.5))
    ticks = [(float(power), f"{10.0**power:g}") for power in range(ends[0], ends[1] + 1)]
    chart = Chart(ticks, _PERCENT, "Score, as a multiple of the threshold", "Windows that reach it")
    chart.line([(0, 0), (0, 1)], "guide")
    faults = 0
    for curve in curves.values():
        steps = zip(curve.score, curve.share, strict=True)
        points = [(math.log10(score), share) for score, share in steps]
        chart.line([(float(ends[0]), 1.0), *points], colour(faults) if curve.is_fault else "all")
        faults += curve.is_fault
    shares = ", ".join(f"{name} {curve.at_threshold:.1%}" for name, curve in curves.items())
    return chart.render(f"Windows that reach the threshold: {shares}")


def curve(points: Sequence[CurvePoint]) -> Markup:
    """A sine, and the int8 model's answers as dots."""
    x_ticks = [(0.0, "0"), (math.pi, "π"), (2 * math.pi, "2π")]
    chart = Chart(x_ticks, [(-1.5, "-1.5"), (-1.0, "-1"), (0.0, "0"), (1.0, "1"), (1.5, "1.5")], "x", "y")
    chart.line([(point.x, point.truth) for point in points], "guide")
    for point in points:
        chart.dot(
            point.x, point.int8, "c0", f"x {point.x:.2f}: {point.int8:.3f}, sine {point.truth:.3f}", 2.5
        )
    return chart.render(f"The int8 model's answers to {counted(len(points), 'point')} of a sine")


def federation(outcome: Federation) -> Markup:
    """The global model by rounds, and central training after as many passes."""
    rounds = outcome.rounds
    is_share = outcome.measure == "accuracy"
    last = max(2, len(rounds))
    highest = max(max(each.value, each.central or 0.0) for each in rounds) or 1.0
    heights = (
        _PERCENT if is_share else [(share * highest, f"{share * highest:.3g}") for share in (0.0, 0.5, 1.0)]
    )
    ends = [(float(at), str(at)) for at in sorted({1, (1 + last) // 2, last})]
    chart = Chart(ends, heights, "Round", "Accuracy" if is_share else "Loss")
    if outcome.central is not None:
        chart.line([(at, each.central or 0.0) for at, each in enumerate(rounds, 1)], colour(0))
    chart.line([(at, each.value) for at, each in enumerate(rounds, 1)], "all")
    return chart.render(f"On the validation split, from {rounds[0].value:.3f} to {rounds[-1].value:.3f}")
