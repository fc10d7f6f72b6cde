"""Page's test as the board computes it: firmware/lib/drift/page_test.c and src/drift_watch.cpp in Python."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.drift_settings import (
    LARGEST_VALUE,
    PACES,
    SIGNALS,
    DriftWatch,
    Pace,
    PageSettings,
    Signal,
)

STEP = 256
"""Units of an int8 step."""
SCORE_UNIT = 8192
"""Units of the threshold of anomalies."""


@dataclass
class PageTest:
    """The mean of one signal against its reference.

    Attributes:
        drifting: whether it has left it.
        is_above: of the drift that goes on or went on last: the mean is too high.
        pace: the test that found it.
        mean: of the last block.
    """

    settings: PageSettings
    block: int
    drifting: bool = False
    is_above: bool = False
    pace: Pace = "sudden"
    mean: int = 0
    _sum: int = 0
    _count: int = 0
    _above: dict[Pace, int] = field(default_factory=lambda: dict.fromkeys(PACES, 0))
    _below: dict[Pace, int] = field(default_factory=lambda: dict.fromkeys(PACES, 0))

    def push(self, value: int) -> bool:
        """Takes one value; whether drift began or is over."""
        self._sum += min(max(value, -LARGEST_VALUE), LARGEST_VALUE)
        self._count += 1
        if self._count < self.block:
            return False
        mean, self._sum, self._count = self._sum // self._count, 0, 0
        return self.push_mean(mean)

    def push_mean(self, mean: int) -> bool:
        """Takes the mean of a block; whether drift began or is over."""
        self.mean = mean
        excess = mean - self.settings.reference
        before = (self.drifting, self.is_above, self.pace)
        self.drifting = False
        for pace in PACES:
            limits = self.settings.sudden if pace == "sudden" else self.settings.slow
            for evidence, signed in ((self._above, excess), (self._below, -excess)):
                evidence[pace] = min(max(evidence[pace] + signed - limits.delta, 0), limits.threshold)
            above, below = (each[pace] == limits.threshold for each in (self._above, self._below))
            if (above or below) and not self.drifting:
                self.drifting, self.is_above, self.pace = True, above, pace
        was_drifting, was_above, pace = before
        if was_drifting and (self._above if was_above else self._below)[pace] > 0:
            self.drifting, self.is_above, self.pace = before
        return self.drifting != was_drifting


@dataclass(frozen=True)
class DriftTold:
    """What a board's event `drift` says, but for its reference."""

    signal: Signal
    drifting: bool
    is_above: bool
    pace: Pace
    inferences: int
    mean: int


def told(watch: DriftWatch, scores: NDArray[np.int64], inputs: NDArray[np.int64]) -> list[DriftTold]:
    """The events over a stream, scores [n] and means of inputs [n] in the units of `DriftWatch`."""
    tests = {signal: PageTest(getattr(watch, signal), watch.block_inferences) for signal in SIGNALS}
    events = []
    for number, values in enumerate(zip(scores.tolist(), inputs.tolist(), strict=True), 1):
        for signal, value in zip(SIGNALS, values, strict=True):
            test = tests[signal]
            if test.push(value):
                events.append(DriftTold(signal, test.drifting, test.is_above, test.pace, number, test.mean))
    return events


def of_labels(scores: NDArray[np.int8]) -> NDArray[np.int64]:
    """The signal `score` of scores [n, labels]."""
    highest: NDArray[np.int64] = scores.max(axis=1).astype(np.int64) * STEP
    return highest


def of_anomaly(scores: NDArray[np.int64], threshold: int) -> NDArray[np.int64]:
    """The signal `score` of anomaly scores [n]."""
    if threshold == 0:
        return np.zeros(len(scores), np.int64)
    return np.minimum(scores, 2 * threshold) * SCORE_UNIT // threshold


def of_inputs(inputs: NDArray[np.int8]) -> NDArray[np.int64]:
    """The signal `input` of a model's inputs [n, ...]."""
    flat = inputs.reshape(len(inputs), -1)
    means: NDArray[np.int64] = flat.sum(axis=1, dtype=np.int64) * STEP // max(1, flat.shape[1])
    return means
