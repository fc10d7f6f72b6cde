"""Choosing threshold, window and suppression, on streams whose best settings are known."""

from __future__ import annotations

import numpy as np

from tinyml_cli.manifest_sections import RecognizerSettings, TensorQuantization
from tinyml_cli.tasks.kws.detection_errors import Target
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream, search, size
from tinyml_cli.tasks.kws.stream_figures import allowance, figures, mlperf_rule
from tinyml_cli.tasks.kws.stream_scores import StreamScores

STRIDE_MS = 100
OUTPUT = TensorQuantization(scale=1 / 256, zero_point=-128)
LABELS = ["silence", "unknown", "yes"]
EMPTY = np.zeros((0, 4), np.int8)


def stream(seconds: int, peaks: list[tuple[int, float, int]], targets: list[Target]) -> ScoredStream:
    """Scores of `yes` that are zero but for (start_ms, score, inferences) peaks."""
    times = np.arange(1000, seconds * 1000 + 1, STRIDE_MS)
    share = np.zeros(len(times))
    for start_ms, score, count in peaks:
        share[(times >= start_ms) & (times < start_ms + count * STRIDE_MS)] = score
    yes = np.rint(share * 255 - 128)
    scores = np.stack([np.rint((1 - share) * 255 - 128), np.full(len(times), -128), yes], axis=1)
    return ScoredStream(
        StreamScores(times, scores.astype(np.int8), seconds * 1000, EMPTY, np.zeros(0, np.int64)), targets
    )


def words(count: int, score: float, inferences: int) -> tuple[list[tuple[int, float, int]], list[Target]]:
    starts = [5000 + 20_000 * index for index in range(count)]
    return [(start, score, inferences) for start in starts], [
        Target(start - 300, start + 200, 2) for start in starts
    ]


def test_the_threshold_goes_between_words_and_what_resembles_them() -> None:
    peaks, targets = words(50, 0.9, 8)
    noise = [(15_000 + 20_000 * index, 0.7, 8) for index in range(20)]
    trial = OperatingPointTrial([stream(1200, peaks + noise, targets)], OUTPUT, LABELS)
    best = search(trial, RecognizerSettings(), STRIDE_MS, 0.5)
    assert (best.misses, best.repeats, best.false_accepts) == (0, 0, 0)
    assert 0.75 <= best.recognizer.threshold <= 0.88, "well inside of the range, not on its edge"
    assert trial.tally(best.recognizer.model_copy(update={"threshold": 0.6})).false_accepts == 20


def test_short_peaks_are_smoothed_away() -> None:
    peaks, targets = words(50, 0.8, 8)
    clicks = [(15_000 + 20_000 * index, 1.0, 1) for index in range(20)]
    best = search(
        OperatingPointTrial([stream(1200, peaks + clicks, targets)], OUTPUT, LABELS),
        RecognizerSettings(),
        STRIDE_MS,
        0.5,
    )
    assert (best.misses, best.false_accepts) == (0, 0)
    assert best.recognizer.average_window_ms > STRIDE_MS


def test_suppression_outlasts_a_word_that_comes_and_goes() -> None:
    peaks, targets = words(20, 0.9, 3)
    again = [(start + 900, 0.9, 3) for start, _, _ in peaks]
    trial = OperatingPointTrial([stream(600, peaks + again, targets)], OUTPUT, LABELS)
    assert (
        trial.tally(RecognizerSettings(suppression_ms=500, average_window_ms=100, minimum_count=1)).repeats
        == 20
    )
    assert search(trial, RecognizerSettings(), STRIDE_MS, 0.5).repeats == 0


def test_an_allowance_that_nothing_keeps_gives_the_fewest_false_accepts() -> None:
    peaks, targets = words(20, 0.9, 8)
    wrong = [(15_000 + 20_000 * index, 1.0, 15) for index in range(20)]
    advanced = []
    trial = OperatingPointTrial([stream(600, peaks + wrong, targets)], OUTPUT, LABELS)
    best = search(trial, RecognizerSettings(), STRIDE_MS, 0.5, lambda: advanced.append(1))
    assert best.false_accepts == 20
    assert len(advanced) == size(STRIDE_MS)


def test_figures_count_what_happened() -> None:
    peaks, targets = words(60, 0.9, 8)
    wrong = [(15_000, 0.95, 8), (35_000, 0.95, 8)]
    heard = stream(1200, peaks[3:] + wrong, targets)
    tally = OperatingPointTrial([heard], OUTPUT, LABELS).tally(RecognizerSettings(average_window_ms=300))
    outcome = figures(tally, LABELS)
    assert outcome.hours == 1200 / 3600
    assert outcome.false_accepts.n == outcome.words["yes"].false_accepts.n == 2
    assert outcome.false_accepts.per_hour == 6.0
    assert (outcome.false_rejects.n, outcome.false_rejects.of) == (3, 60)
    assert outcome.latency_ms.as_dict() == {"median": 0.0, "p95": 0.0}, (
        "third inference after the word's first"
    )
    rule = mlperf_rule(tally, [heard])
    assert [(w.targets, w.false_positives, w.misses, w.passed) for w in rule.windows] == [(60, 2, 3, True)]


def test_mlperfs_rule_fails_at_nine() -> None:
    peaks, targets = words(60, 0.9, 8)
    heard = stream(1200, peaks[9:], targets)
    rule = mlperf_rule(OperatingPointTrial([heard], OUTPUT, LABELS).tally(RecognizerSettings()), [heard])
    assert (rule.passed, rule.of, rule.windows[0].misses) == (0, 1, 9)


def test_few_hours_show_no_low_rate() -> None:
    assert allowance(0.5, 0, 1.0).as_dict() | {"upper95": 0, "hours_needed": 0, "hours_needed_as_is": 0} == {
        "max_fa_per_hour": 0.5,
        "met": True,
        "shown": False,
        "upper95": 0,
        "hours_needed": 0,
        "hours_needed_as_is": 0,
    }
    assert allowance(0.5, 0, 6.0).shown
    assert not allowance(0.5, 4, 6.0).met
