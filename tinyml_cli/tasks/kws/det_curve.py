"""The detection error trade-off over a stream: missed words against false accepts per hour, by threshold.

Imports matplotlib only to draw. After Martin et al., "The DET curve in assessment of detection
task performance", Eurospeech 1997, with a rate per hour in place of a probability.
"""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.streams import DetInBand, DetPoint
from tinyml_cli.tasks.kws.operating_point import THRESHOLDS, OperatingPointTrial
from tinyml_cli.tasks.kws.stream_figures import by_snr


def det_points(
    trial: OperatingPointTrial, recognizer: RecognizerSettings
) -> tuple[list[DetPoint], list[DetInBand]]:
    """Thresholds rising, and the misses at them by level above the background, where there are such words.

    The rate of false rejects is None without targets.
    """
    points, bands = [], []
    for permille in sorted({*THRESHOLDS, round(recognizer.threshold * 1000)}):
        tally = trial.tally(recognizer.model_copy(update={"threshold": permille / 1000}))
        points.append(
            DetPoint(
                threshold=permille / 1000,
                false_accepts=tally.false_accepts,
                fa_per_hour=tally.false_accepts_per_hour,
                misses=tally.misses,
                frr=tally.misses / tally.targets if tally.targets else None,
            )
        )
        bands.append(by_snr(tally))
    return points, [
        DetInBand(**{"from": at[0].from_, "to": at[0].to}, of=at[0].of, misses=[each.n for each in at])
        for at in zip(*bands, strict=True)
        if at[0].of
    ]


def det_png(path: Path, points: list[DetPoint], threshold: float, hours: float, title: str) -> None:
    """Draws the curve; points without a false accept are placed left of the rate of one in all hours."""
    from tinyml_cli.pages import pictures

    figure = pictures.new(6.4, 4.4)
    axes = figure.add_subplot()
    none = 0.5 / hours
    at = [max(point.fa_per_hour, none) for point in points]
    missed = [100 * (point.frr or 0.0) for point in points]
    axes.axvspan(none * 0.4, 1 / hours * 0.85, color="#eef1f5", zorder=0)
    axes.plot(at, missed, color="#1f6fb4", marker="o", markersize=3, linewidth=1.4)
    chosen = min(range(len(points)), key=lambda index: abs(points[index].threshold - threshold))
    axes.plot(at[chosen], missed[chosen], "o", color="#c2410c", markersize=8)
    axes.annotate(
        f"threshold {threshold:g}",
        (at[chosen], missed[chosen]),
        xytext=(8, 8),
        textcoords="offset points",
        color="#c2410c",
        fontsize=9,
    )
    axes.set_xscale("log")
    axes.set_xlim(left=none * 0.4)
    axes.set_ylim(-2, 102)
    axes.text(none * 0.46, 98, "none\nheard", fontsize=7, color="#52606d", va="top")
    axes.set_xlabel("False accepts per hour")
    axes.set_ylabel("Words missed, %")
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(which="both", color="#e4e7eb", linewidth=0.6)
    pictures.write(path, figure, 150)
