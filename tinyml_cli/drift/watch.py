"""The board's own tests of drift: chosen from normal running, for so many false alarms a day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.drift.columns import dependence
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.drift_settings import (
    LARGEST_THRESHOLD,
    LARGEST_VALUE,
    MOST_BLOCK,
    DriftWatch,
    PageLimits,
    PageSettings,
)
from tinyml_cli.wording import counted

BLOCK_S = 30
FALSE_ALARMS_PER_DAY = 0.1
LEAST_INFERENCES = 5
"""Of a block."""
_BLOCKS = 40  # shorter ones where normal running has fewer of BLOCK_S
_DAY_S = 86_400

# Page's test is fastest at changes of twice its delta. Deltas are in standard deviations of a block.
_SUDDEN, _SLOW = 1.0, 0.25
# Further than this from the true mean, the reference itself would be drift: standard errors of it.
_UNSURE = 3.0
_LEAST_DELTA = 16
_TESTS = 8  # two signals, two paces, two directions: none may take more than its share of the false alarms
_EVENTS = 25  # false alarms simulated for each
_MOST_BLOCKS = 2_000_000
_CHUNK = 20  # blocks drawn together, so that what depends on its neighbours does so in the simulation, too


@dataclass(frozen=True)
class NormalRunning:
    """What a model was given, and said, while nothing was wrong.

    Attributes:
        streams: (scores int64 [n], means of inputs int64 [n]) of each, in the units of `DriftWatch`.
        inferences_per_day: on a board that listens all day.
        of: what that was.
    """

    streams: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
    inferences_per_day: float
    of: str


def choose(normal: NormalRunning, false_alarms_per_day: float, seed: int) -> DriftWatch:
    """The tests that give so many false alarms on days drawn from this normal running.

    Args:
        normal: it must have no part in what judges the model.
        false_alarms_per_day: of all tests together.
        seed: of the draw.

    Raises:
        TinymlError: too little of it.
    """
    given = sum(len(scores) for scores, _ in normal.streams)
    wanted = min(MOST_BLOCK, max(LEAST_INFERENCES, round(normal.inferences_per_day * BLOCK_S / _DAY_S)))
    block = min(wanted, given // _BLOCKS)
    if block < LEAST_INFERENCES:
        raise TinymlError(
            f"{counted(given, 'inference')} of normal running show too little; "
            f"{_BLOCKS * LEAST_INFERENCES} are needed",
            normal.of,
            "Give more of it: data with more normal running or, for keyword spotting, --hours.",
        )
    per_day = normal.inferences_per_day / block
    of_scores = [block_means(scores, block) for scores, _ in normal.streams]
    of_inputs = [block_means(inputs, block) for _, inputs in normal.streams]
    blocks = sum(map(len, of_scores))
    alarms_a_block = false_alarms_per_day / per_day / _TESTS
    rng = np.random.default_rng([seed, 31])
    return DriftWatch(
        block_inferences=block,
        score=_settings(of_scores, alarms_a_block, rng),
        input=_settings(of_inputs, alarms_a_block, rng),
        inferences_per_day=normal.inferences_per_day,
        false_alarms_per_day=false_alarms_per_day,
        blocks=blocks,
        of=normal.of,
    )


def block_means(values: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Means of the whole blocks of values [n], as the board rounds them."""
    kept = np.clip(values[: len(values) // block * block], -LARGEST_VALUE, LARGEST_VALUE)
    means: NDArray[np.int64] = kept.reshape(-1, block).sum(axis=1) // block
    return means


def drawn(streams: Sequence[NDArray[np.int64]], blocks: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A long stream of means [blocks], made of pieces of these (a moving-block bootstrap).

    H. R. Kuensch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics
    17, 1989.
    """
    chunk = min(_CHUNK, max(len(stream) for stream in streams))
    windows = np.concatenate(
        [
            np.lib.stride_tricks.sliding_window_view(np.resize(stream, len(stream) + chunk - 1), chunk)
            for stream in streams
            if len(stream)
        ]
    )
    found: NDArray[np.int64] = windows[rng.integers(len(windows), size=-(-blocks // chunk))].reshape(-1)
    return found[:blocks]


def _settings(
    streams: Sequence[NDArray[np.int64]], alarms_a_block: float, rng: np.random.Generator
) -> PageSettings:
    means = np.concatenate(streams)
    reference = round(float(means.mean()))
    deviation = float(means.std())
    error = deviation * math.sqrt(dependence(means.astype(np.float64)) / len(means))
    slow = max(_LEAST_DELTA, round(max(_SLOW * deviation, _UNSURE * error)))
    sudden = max(2 * slow, round(_SUDDEN * deviation))
    days = drawn(streams, min(_MOST_BLOCKS, math.ceil(_EVENTS / alarms_a_block)), rng) - reference
    return PageSettings(
        reference=reference,
        sudden=_limits(days, sudden, alarms_a_block),
        slow=_limits(days, slow, alarms_a_block),
    )


def _limits(excess: NDArray[np.int64], delta: int, alarms_a_block: float) -> PageLimits:
    """The lowest threshold at which either direction gives at most so many false alarms a block."""
    allowed = int(alarms_a_block * len(excess))
    heights = [climbs(sign * excess - delta) for sign in (1, -1)]
    exceeded = [int(each[min(allowed, len(each) - 1)]) for each in heights]
    return PageLimits(delta=delta, threshold=min(LARGEST_THRESHOLD, max(delta, *exceeded) + 1))


def climbs(steps: NDArray[Any]) -> NDArray[Any]:
    """How high the evidence of steps [n] climbs between two returns to 0, the highest first."""
    path = evidence(steps)
    starts = np.flatnonzero(path == 0)
    starts = starts if len(starts) and starts[0] == 0 else np.concatenate([[0], starts])
    heights: NDArray[Any] = np.sort(np.maximum.reduceat(path, starts))[::-1]
    return heights


def evidence(steps: NDArray[Any]) -> NDArray[Any]:
    """max(0, sum) after each of the steps [n]: the test's evidence up to its first alarm."""
    total = np.cumsum(steps)
    path: NDArray[Any] = total - np.minimum(np.minimum.accumulate(total), 0)
    return path
