"""Chooses threshold, averaging window and suppression: a search over scores computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_cli.manifest_sections import RecognizerSettings, TensorQuantization
from tinyml_cli.tasks.kws.detection_errors import Matched, Passage, Target, match
from tinyml_cli.tasks.kws.recognizer import RecognizerConfig
from tinyml_cli.tasks.kws.stream_recognizer import Smoothed, detections, smooth
from tinyml_cli.tasks.kws.stream_scores import StreamScores

# In thousandths, denser where scores are dense; int8 scores in steps of 1/256 end at 996.
THRESHOLDS = (*range(300, 800, 25), *range(800, 950, 10), *range(950, 996, 5))
WINDOW_INFERENCES = (1, 2, 3, 4, 5, 6, 8, 10, 15)
SUPPRESSIONS_MS = (500, 1000, 1500, 2000)

_SHORTEST_WINDOW_MS, _LONGEST_WINDOW_MS = 20, 5000
_MINIMUM_COUNT = 3
_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True)
class ScoredStream:
    """A stream with its scores and its ground truth, see `stream_audio.LabelledStream`."""

    scores: StreamScores
    targets: list[Target]
    said: Sequence[Passage] | None = None
    scenes: Sequence[Passage] = ()

    def said_at(self, start_ms: int, end_ms: int) -> str | None:
        """The words that are heard between two times; None where nobody knows."""
        return None if self.said is None else " ".join(_heard(self.said, start_ms, end_ms))

    def scene_at(self, time_ms: int) -> str | None:
        """The scene at a time; None where there are none."""
        return next(iter(_heard(self.scenes, time_ms, time_ms + 1)), None)


def _heard(passages: Sequence[Passage], start_ms: int, end_ms: int) -> list[str]:
    overlapping = [each for each in passages if each.start_ms < end_ms and start_ms < each.end_ms]
    return [each.text for each in sorted(overlapping, key=lambda each: each.start_ms)]


@dataclass(frozen=True)
class Tally:
    """The recogniser's result on some streams.

    Attributes:
        recognizer: its settings.
        matched: one per stream.
        hours: their total duration.
    """

    recognizer: RecognizerSettings
    matched: list[Matched]
    hours: float

    @property
    def targets(self) -> int:
        """Number of spoken words."""
        return sum(len(each.hits) + len(each.misses) for each in self.matched)

    @property
    def misses(self) -> int:
        """Number of words without a detection."""
        return sum(len(each.misses) for each in self.matched)

    @property
    def repeats(self) -> int:
        """Number of further detections of the same word."""
        return sum(len(each.repeats) for each in self.matched)

    @property
    def false_accepts(self) -> int:
        """Number of detections without a word."""
        return sum(len(each.false_accepts) for each in self.matched)

    @property
    def false_accepts_per_hour(self) -> float:
        """Over the total duration."""
        return self.false_accepts / self.hours

    @property
    def latencies_ms(self) -> list[int]:
        """Of all hits."""
        return [value for each in self.matched for value in each.latencies_ms]


class OperatingPointTrial:
    """Streams on which recogniser settings can be tried."""

    def __init__(
        self, streams: Sequence[ScoredStream], output: TensorQuantization, labels: Sequence[str]
    ) -> None:
        self._streams = streams
        self._output = output
        self._labels = labels
        self._smoothed: dict[int, list[Smoothed]] = {}
        self.hours = sum(stream.scores.duration_ms for stream in streams) / _MS_PER_HOUR

    def tally(self, recognizer: RecognizerSettings) -> Tally:
        """The recogniser's result on the streams, each started after a reset."""
        settings = RecognizerConfig.of(recognizer, self._labels, self._output)
        window_ms = settings.average_window_ms
        if window_ms not in self._smoothed:
            self._smoothed[window_ms] = [
                smooth(stream.scores.times_ms, stream.scores.scores, settings) for stream in self._streams
            ]
        matched = [
            match(stream.targets, detections(smoothed, settings))
            for stream, smoothed in zip(self._streams, self._smoothed[window_ms], strict=True)
        ]
        return Tally(recognizer, matched, self.hours)


def search(
    trial: OperatingPointTrial,
    recognizer: RecognizerSettings,
    inference_ms: int,
    max_fa_per_hour: float,
    advance: Callable[[], object] = lambda: None,
    least_heard: float = 0.0,
) -> Tally:
    """The settings with the fewest misses and repeats among those within the allowance, then the fewest false
    accepts.

    Among equals, it takes the window and suppression with the widest range of thresholds, and the middle of
    that range, since its edges differ on other streams; then the lowest latency. Settings that hear
    less than `least_heard` do not count, unless none hears as much. If none of the others is within the
    allowance, it takes those with the fewest false accepts.

    Args:
        trial: validation streams; never those used for the report.
        recognizer: the old settings, of which the stride is kept.
        inference_ms: time between inferences.
        max_fa_per_hour: false accepts per hour on these streams, as counted.
        advance: called after each of `size(inference_ms)` settings.
        least_heard: share of the words, 0 to 1.
    """
    tallies = []
    for candidate in _grid(recognizer, inference_ms):
        tallies.append(trial.tally(candidate))
        advance()
    useful = [tally for tally in tallies if tally.misses <= (1 - least_heard) * tally.targets] or tallies
    allowed = [tally for tally in useful if tally.false_accepts_per_hour <= max_fa_per_hour]
    fewest = min(tally.false_accepts for tally in useful)
    allowed = allowed or [tally for tally in useful if tally.false_accepts == fewest]
    least = min(map(_errors, allowed))
    runs = _runs([tally if _errors(tally) == least else None for tally in tallies])
    widest = max(map(_width, runs))
    return min((run[len(run) // 2] for run in runs if _width(run) == widest), key=_delay_ms)


def _errors(tally: Tally) -> tuple[int, int]:
    return tally.misses + tally.repeats, tally.false_accepts


def _runs(tallies: Sequence[Tally | None]) -> list[list[Tally]]:
    """Neighbours in the grid that differ only in their threshold; None separates."""
    runs: list[list[Tally]] = []
    for before, tally in zip([None, *tallies], tallies, strict=False):
        if tally is None:
            continue
        if before is None or tally.recognizer.threshold < before.recognizer.threshold:
            runs.append([])
        runs[-1].append(tally)
    return runs


def _width(run: Sequence[Tally]) -> int:
    return round(1000 * (run[-1].recognizer.threshold - run[0].recognizer.threshold))


def _delay_ms(tally: Tally) -> float:
    return float(np.median(tally.latencies_ms)) if tally.latencies_ms else 0.0


def size(inference_ms: int) -> int:
    """Number of settings that a search tries."""
    return sum(1 for _ in _grid(RecognizerSettings(), inference_ms))


def _grid(recognizer: RecognizerSettings, inference_ms: int) -> Iterable[RecognizerSettings]:
    """Settings in grid order; the threshold is the innermost loop."""
    for count in WINDOW_INFERENCES:
        window_ms = count * inference_ms
        if not _SHORTEST_WINDOW_MS <= window_ms <= _LONGEST_WINDOW_MS:
            continue
        for suppression_ms in SUPPRESSIONS_MS:
            for permille in THRESHOLDS:
                yield recognizer.model_copy(
                    update={
                        "threshold": permille / 1000,
                        "average_window_ms": window_ms,
                        "suppression_ms": suppression_ms,
                        "minimum_count": min(count, _MINIMUM_COUNT),
                    }
                )
