"""The figures of a stream evaluation, from a recogniser's results on the streams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_cli.outcomes.streams import (
    AcceptRate,
    Allowance,
    Latency,
    Rejects,
    RejectsInBand,
    RuleWindow,
    StreamCounts,
    StreamFigures,
    StreamRule,
)
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.statistics.rates import exposure_needed, poisson_interval, upper_limit
from tinyml_cli.tasks.kws.detection_errors import Target
from tinyml_cli.tasks.kws.operating_point import ScoredStream, Tally
from tinyml_cli.tasks.kws.recognizer import ReportedWord

MLPERF_MINUTES, MLPERF_FALSE_POSITIVES, MLPERF_MISSES = 20, 8, 8
SNR_BANDS_DB = ((-np.inf, 10.0), (10.0, 20.0), (20.0, np.inf))

_LEAST_MLPERF_TARGETS = 20


def figures(tally: Tally, labels: Sequence[str]) -> StreamFigures:
    """Everything counted over all streams: false accepts, false rejects, repeats, latency, by word,
    scene and level above the background."""
    hits = [pair for each in tally.matched for pair in each.hits]
    missed = [target for each in tally.matched for target in each.misses]
    wrong = [detection for each in tally.matched for detection in each.false_accepts]
    again = [detection for each in tally.matched for detection in each.repeats]
    said = [target for target, _ in hits]
    return StreamFigures.extending(
        _counts(hits, missed, wrong, again, tally.hours),
        hours=tally.hours,
        words={
            label: _counts(
                [pair for pair in hits if pair[0].label == index],
                [target for target in missed if target.label == index],
                [detection for detection in wrong if detection.label == index],
                [detection for detection in again if detection.label == index],
                tally.hours,
            )
            for index, label in enumerate(labels)
            if index >= 2
        },
        scenes={
            name: _rejects(_in_scene(said, name), _in_scene(missed, name))
            for name in sorted({target.scene for target in [*said, *missed] if target.scene})
        },
        snr_db=by_snr(tally),
    )


def by_snr(tally: Tally) -> list[RejectsInBand]:
    """Missed words by their level above the background."""
    said = [target for each in tally.matched for target, _ in each.hits]
    missed = [target for each in tally.matched for target in each.misses]
    return [
        RejectsInBand.extending(
            _rejects(_in_band(said, low, high), _in_band(missed, low, high)),
            **{"from": _finite(low), "to": _finite(high)},
        )
        for low, high in SNR_BANDS_DB
    ]


def _counts(
    hits: Sequence[tuple[Target, ReportedWord]],
    missed: Sequence[Target],
    wrong: Sequence[ReportedWord],
    again: Sequence[ReportedWord],
    hours: float,
) -> StreamCounts:
    return StreamCounts(
        false_accepts=AcceptRate(
            n=len(wrong),
            per_hour=len(wrong) / hours,
            ci95=poisson_interval(len(wrong), hours),
            upper95=upper_limit(len(wrong), hours),
        ),
        false_rejects=_rejects([target for target, _ in hits], missed),
        repeats=len(again),
        latency_ms=_latency([detection.time_ms - target.end_ms for target, detection in hits]),
    )


def _in_scene(targets: Sequence[Target], scene: str) -> list[Target]:
    return [target for target in targets if target.scene == scene]


def _in_band(targets: Sequence[Target], low_db: float, high_db: float) -> list[Target]:
    return [target for target in targets if target.snr_db is not None and low_db <= target.snr_db < high_db]


def _rejects(said: Sequence[Target], missed: Sequence[Target]) -> Rejects:
    misses, total = len(missed), len(missed) + len(said)
    return Rejects(
        n=misses,
        of=total,
        rate=misses / total if total else None,
        ci95=wilson_interval(misses, total) if total else None,
    )


def _latency(values: Sequence[int]) -> Latency | None:
    if not values:
        return None
    return Latency(median=float(np.median(values)), p95=float(np.percentile(values, 95)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def mlperf_rule(tally: Tally, streams: Sequence[ScoredStream]) -> StreamRule:
    """MLPerf Tiny's pass mark for streaming wake words, applied to every whole 20 minutes of our own streams.

    At most 8 false positives and 8 misses. MLPerf's stream and model are different, so this is not an
    MLPerf result.
    """
    length_ms = MLPERF_MINUTES * 60_000
    windows = []
    for index, (each, stream) in enumerate(zip(tally.matched, streams, strict=True)):
        for start_ms in range(0, stream.scores.duration_ms - length_ms + 1, length_ms):
            end_ms = start_ms + length_ms
            targets = sum(start_ms <= target.end_ms < end_ms for target in stream.targets)
            misses = sum(start_ms <= target.end_ms < end_ms for target in each.misses)
            wrong = sum(start_ms <= d.time_ms < end_ms for d in [*each.false_accepts, *each.repeats])
            passed = wrong <= MLPERF_FALSE_POSITIVES and misses <= MLPERF_MISSES
            windows.append(
                RuleWindow(
                    stream=index + 1,
                    start_s=start_ms / 1000,
                    targets=targets,
                    false_positives=wrong,
                    misses=misses,
                    passed=passed if targets >= _LEAST_MLPERF_TARGETS else None,
                )
            )
    return StreamRule(
        rule=f"at most {MLPERF_FALSE_POSITIVES} false positives and {MLPERF_MISSES} misses in "
        f"{MLPERF_MINUTES} minutes, as in MLPerf Tiny's streaming wake word; on tinyml's stream, not "
        "MLPerf's",
        windows=windows,
        passed=sum(window.passed is True for window in windows),
        of=sum(window.passed is not None for window in windows),
    )


def allowance(max_fa_per_hour: float, events: int, hours: float) -> Allowance:
    """Whether `events` in `hours` show that the rate is at most `max_fa_per_hour`, with 95 % confidence.

    `hours_needed` is by the rule of three.
    """
    limit = upper_limit(events, hours)
    return Allowance(
        max_fa_per_hour=max_fa_per_hour,
        met=events / hours <= max_fa_per_hour,
        shown=limit <= max_fa_per_hour,
        upper95=limit,
        hours_needed=exposure_needed(max_fa_per_hour),
        hours_needed_as_is=exposure_needed(max_fa_per_hour, events),
    )
