"""The firmware's recogniser over hours of scores at once, in the same integers as `recognizer.Recognizer`.

`smooth` does what depends only on the averaging window, so that many thresholds can be tried on its result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.tasks.kws.recognizer import (
    FIRST_WORD,
    MAX_HISTORY,
    RecognizerConfig,
    ReportedWord,
    ReportRule,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Smoothed:
    """Averages over the window, one entry per inference.

    Attributes:
        times_ms: int64 [n].
        best: int64 [n], the label of the highest average.
        permille: int64 [n], that average in thousandths.
        count: int64 [n], inferences in the window.
    """

    times_ms: IntArray
    best: IntArray
    permille: IntArray
    count: IntArray


def smooth(times_ms: IntArray, scores: npt.NDArray[np.int8], settings: RecognizerConfig) -> Smoothed:
    """Averages scores int8 [n, labels] of inferences at `times_ms` int64 [n], which never decrease.

    The window of an inference holds those less than `average_window_ms` before it, at most MAX_HISTORY.
    """
    n = len(times_ms)
    at = np.arange(n)
    first = np.searchsorted(times_ms, times_ms - settings.average_window_ms, side="right")
    first = np.clip(first, at - MAX_HISTORY + 1, at)
    totals = np.zeros((n + 1, scores.shape[1]), np.int64)
    np.cumsum(scores, axis=0, dtype=np.int64, out=totals[1:])
    sums = totals[at + 1] - totals[first]
    count = at + 1 - first
    best = sums.argmax(axis=1) if n else at
    steps = np.maximum(sums[at, best] - count * settings.zero_point, 0)
    scaled = steps * settings.permille_per_step_q16 // np.maximum(count, 1)
    permille = np.minimum((scaled + 32768) >> 16, 1000)
    return Smoothed(np.asarray(times_ms, np.int64), best, permille, count)


def detections(smoothed: Smoothed, settings: RecognizerConfig) -> list[ReportedWord]:
    """The recogniser's detections on one stream, starting after a reset.

    Args:
        smoothed: with the averaging window of the settings.
        settings: all others.
    """
    wanted = np.asarray(settings.thresholds_permille, np.int64)[smoothed.best]
    passes = (
        (smoothed.count >= settings.minimum_count)
        & (smoothed.best >= FIRST_WORD)
        & (smoothed.permille >= wanted)
    )
    verdict = ReportRule(settings)
    found: list[ReportedWord | None] = []

    def look(at: int, passed: bool) -> None:
        time_ms, label = int(smoothed.times_ms[at]), int(smoothed.best[at])
        candidate = None
        if passed and not verdict.suppresses(label, time_ms):
            candidate = ReportedWord(time_ms, label, int(smoothed.permille[at]))
        found.append(verdict.settle(time_ms, label, candidate))

    after = 0
    for at in [*np.flatnonzero(passes).tolist(), len(smoothed.times_ms)]:
        # Between inferences above the threshold nothing happens, except that a wait may end.
        while verdict.due_ms is not None:
            due = int(np.searchsorted(smoothed.times_ms, verdict.due_ms))
            due = max(due, after)
            if due >= at:
                break
            look(due, False)
            after = due + 1
        if at < len(smoothed.times_ms):
            look(at, True)
            after = at + 1
    return [detection for detection in found if detection is not None]
