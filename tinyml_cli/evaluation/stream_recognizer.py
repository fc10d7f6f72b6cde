"""The firmware's recogniser over hours of scores at once, in the same integers as `recognizer.Recognizer`.

`smooth` does what depends on the averaging window alone, so that many thresholds can be tried on its result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.evaluation.recognizer import FIRST_WORD, MAX_HISTORY

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Detection:
    """A word that was reported.

    Attributes:
        time_ms: since the stream began, at the end of the inference that led to it.
        label: index into the labels.
        score_permille: the averaged score.
    """

    time_ms: int
    label: int
    score_permille: int


@dataclass(frozen=True)
class Smoothed:
    """Averages over the window, one entry for each inference.

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


def smooth(
    times_ms: IntArray,
    scores: npt.NDArray[np.int8],
    average_window_ms: int,
    zero_point: int,
    permille_per_step_q16: int,
) -> Smoothed:
    """Averages scores int8 [n, labels] of inferences at `times_ms` int64 [n], which never decrease.

    The window of an inference holds those less than `average_window_ms` before it, at most MAX_HISTORY.
    """
    n = len(times_ms)
    at = np.arange(n)
    first = np.searchsorted(times_ms, times_ms - average_window_ms, side="right")
    first = np.clip(first, at - MAX_HISTORY + 1, at)
    totals = np.zeros((n + 1, scores.shape[1]), np.int64)
    np.cumsum(scores, axis=0, dtype=np.int64, out=totals[1:])
    sums = totals[at + 1] - totals[first]
    count = at + 1 - first
    best = sums.argmax(axis=1) if n else at
    steps = np.maximum(sums[at, best] - count * zero_point, 0)
    permille = np.minimum((steps * permille_per_step_q16 // np.maximum(count, 1) + 32768) >> 16, 1000)
    return Smoothed(np.asarray(times_ms, np.int64), best, permille, count)


def detections(
    smoothed: Smoothed, thresholds_permille: tuple[int, ...], suppression_ms: int, minimum_count: int
) -> list[Detection]:
    """What the recogniser reports of one stream that begins after a reset."""
    wanted = np.asarray(thresholds_permille, np.int64)[smoothed.best]
    passes = (smoothed.count >= minimum_count) & (smoothed.best >= FIRST_WORD) & (smoothed.permille >= wanted)
    found: list[Detection] = []
    for at in np.flatnonzero(passes).tolist():
        time_ms, label = int(smoothed.times_ms[at]), int(smoothed.best[at])
        if found and label == found[-1].label and time_ms - found[-1].time_ms < suppression_ms:
            continue
        found.append(Detection(time_ms, label, int(smoothed.permille[at])))
    return found
