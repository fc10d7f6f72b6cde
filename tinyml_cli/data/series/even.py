"""Resamples timed samples to even steps: spreads bursts, drops repeats, splits at gaps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Longer than this many usual steps is a gap; one lost sample in between is filled in by its neighbours.
_GAP_STEPS = 2.5
_LOST_STEPS = 1.5
_STEADY = 1.3
# Rows that follow each other this much faster than the usual largest step came in one burst.
_BURST_SHARE = 0.25
# A row may lie so far from even steps before it is interpolated: of a step, and of the clock's own step.
_UNEVEN_STEPS, _UNEVEN_TICKS = 0.15, 0.6
_TICKS_S = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
_REPEATED_SHARE = 0.9
_FEWEST_SAMPLES = 2


@dataclass
class Evened:
    """What was done.

    Attributes:
        pieces: (first row, values [n, columns]) without a gap inside, in even steps.
        rate_hz: of all pieces.
        gaps: cut.
        repeats: rows dropped because the row before has the same time and values.
        bursts: whether rows came in bursts and were spread.
        resampled: whether rows were interpolated.
        short: rows in pieces too short to be of use.
    """

    pieces: list[tuple[int, Values]]
    rate_hz: float
    gaps: int = 0
    repeats: int = 0
    bursts: bool = False
    resampled: bool = False
    short: int = 0


def even(seconds: NDArray[np.float64], values: Values, cuts: Sequence[int]) -> Evened | None:
    """Brings rows to even steps.

    Args:
        seconds: float64 [n], non-decreasing between cuts.
        values: float64 [n, columns].
        cuts: rows at which a new take begins.

    Returns:
        None where no two rows follow each other.
    """
    rows = np.arange(len(seconds))
    kept = _without_repeats(seconds, values, cuts)
    repeats = len(rows) - int(kept.sum())
    new_cuts = [int(kept[:cut].sum()) for cut in cuts]
    seconds, values, rows = seconds[kept], values[kept], rows[kept]
    parts = [slice(a, b) for a, b in itertools.pairwise([0, *new_cuts, len(rows)]) if b > a]
    groups = [_bursts(seconds[part], _largest_step(seconds, parts)) for part in parts]
    steps = np.concatenate(
        [np.diff(seconds[part][starts]) for part, starts in zip(parts, groups, strict=True)]
    )
    if not len(steps):
        return None
    usual = float(np.median(steps))
    quick, spread = np.quantile(steps, [0.2, 0.8], method="lower").tolist()
    steady = spread < _STEADY * usual < _STEADY**2 * quick
    longest = max(_GAP_STEPS * usual, 2 * spread)
    counts = [np.diff([*starts, part.stop - part.start]) for part, starts in zip(parts, groups, strict=True)]
    rate_hz = _rate(seconds, parts, groups, counts, usual if steady else None, longest)
    result = Evened([], rate_hz, repeats=repeats)
    result.bursts = float(np.mean(np.concatenate(counts) > 1)) > 0.05
    tolerance_s = _UNEVEN_STEPS / rate_hz + _UNEVEN_TICKS * _tick(seconds)
    for part, starts, count in zip(parts, groups, counts, strict=True):
        moments = _spread(seconds[part], starts, count, rate_hz, longest)
        holes = np.flatnonzero(np.diff(moments) > max(longest, _GAP_STEPS / rate_hz)) + 1
        result.gaps += len(holes)
        for a, b in itertools.pairwise([0, *holes.tolist(), len(moments)]):
            if b - a < _FEWEST_SAMPLES:
                result.short += b - a
                continue
            piece, moved = _on_grid(moments[a:b], values[part][a:b], rate_hz, tolerance_s)
            result.resampled |= moved
            result.pieces.append((int(rows[part][a]), piece))
    return result


def _without_repeats(seconds: NDArray[np.float64], values: Values, cuts: Sequence[int]) -> NDArray[np.bool_]:
    """Which rows stay; rows of one time and different values came in a burst, and all of them count."""
    kept = np.ones(len(seconds), bool)
    same_time = np.zeros(len(seconds), bool)
    same_time[1:] = np.diff(seconds) == 0
    same_time[list(cuts)] = False
    same = same_time.copy()
    same[1:] &= (values[1:] == values[:-1]).all(axis=1)
    if same.sum() >= _REPEATED_SHARE * max(1, same_time.sum()):
        kept[same] = False
    return kept


def _largest_step(seconds: NDArray[np.float64], parts: Sequence[slice]) -> float:
    steps = np.concatenate([np.diff(seconds[part]) for part in parts])
    return float(np.quantile(steps, 0.95, method="lower")) if len(steps) else 0.0


def _bursts(seconds: NDArray[np.float64], largest: float) -> list[int]:
    """First row of each burst; rows that came alone are bursts of one."""
    steps = np.diff(seconds)
    positive = steps[steps > 0]
    if len(positive) and np.median(positive) >= _BURST_SHARE * largest:
        largest = min(largest, 2 * float(np.median(positive)))
    return [0, *(np.flatnonzero(steps > _BURST_SHARE * largest) + 1).tolist()]


def _rate(
    seconds: NDArray[np.float64],
    parts: Sequence[slice],
    groups: Sequence[list[int]],
    counts: Sequence[NDArray[np.int64]],
    steady_step: float | None,
    longest: float,
) -> float:
    """Samples a second, by the mean of all steps that are no gap: the median of rounded times is rounded.

    Where steps are steady, those with a lost sample do not count either.
    """
    least, limit = 0.0, longest
    if steady_step is not None:
        least, limit = (2 - _LOST_STEPS) * steady_step, _LOST_STEPS * steady_step
    samples, time_s = 0, 0.0
    for part, starts, count in zip(parts, groups, counts, strict=True):
        steps = np.diff(seconds[part][starts])
        good = (steps >= least) & (steps <= limit)
        if len(good) > 2 and count[0] < np.median(count):
            good[0] = False  # the recording began inside a burst
        samples += int(count[:-1][good].sum())
        time_s += float(steps[good].sum())
    return float(f"{samples / time_s:.9g}")


def _spread(
    seconds: NDArray[np.float64],
    starts: list[int],
    count: NDArray[np.int64],
    rate_hz: float,
    longest: float,
) -> NDArray[np.float64]:
    """A time for each row: those of a burst share the time until the next one."""
    if len(starts) == len(seconds):
        return seconds
    first = seconds[starts]
    steps = np.append(np.diff(first), np.inf)
    result = np.empty(len(seconds))
    for index, (start, n) in enumerate(zip(starts, count.tolist(), strict=True)):
        step = 1.0 / rate_hz if steps[index] > longest else steps[index] / n
        offset = np.arange(n) * step
        if index == 0 and len(starts) > 1 and n < np.median(count):
            offset = steps[0] - np.arange(n, 0, -1) / rate_hz
        result[start : start + n] = first[index] + offset
    return result


def _tick(seconds: NDArray[np.float64]) -> float:
    """The step of the clock: times are written in whole ones."""
    moved = seconds - seconds[0]
    for tick in _TICKS_S:
        if (np.abs(moved / tick - np.rint(moved / tick)) < 1e-3).all():
            return tick
    return 0.0


def _on_grid(
    moments: NDArray[np.float64], values: Values, rate_hz: float, tolerance_s: float
) -> tuple[Values, bool]:
    """(values in even steps, whether they had to be interpolated)."""
    expected = np.arange(len(moments)) / rate_hz
    off = moments - moments[0] - expected
    if np.abs(off - np.median(off)).max() <= tolerance_s:
        return values, False
    count = int(np.floor((moments[-1] - moments[0]) * rate_hz + 0.01)) + 1
    grid = moments[0] + np.arange(count) / rate_hz
    return np.stack([np.interp(grid, moments, column) for column in values.T], axis=1), True
