"""The alarm, the running level and the calibration of firmware/lib/anomaly/anomaly_alarm.c, in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tinyml_cli.features.anomaly_settings import Alarm

CALIBRATION_SCORES = 64  # ANOMALY_CALIBRATION_SCORES
_MILLION = 1_000_000
_UINT32_MAX = (1 << 32) - 1


@dataclass
class AlarmState:
    """On after a number of windows in a row at the threshold, off after as many below the release level."""

    settings: Alarm
    on: bool = False
    run: int = 0
    held: int = 0

    def push(self, score: int, threshold: int) -> bool:
        """Takes one score; returns whether the alarm went on or off."""
        settings = self.settings
        release = threshold * settings.release_permille // 1000
        against = score < release if self.on else score >= threshold
        self.run = self.run + 1 if against else 0
        self.held += self.on
        if self.on:
            due = self.run >= settings.clear_windows and self.held >= settings.hold_windows
        else:
            due = self.run >= settings.raise_windows
        if due:
            self.on, self.run, self.held = not self.on, 0, 0
        return due


@dataclass
class Level:
    """A running mean of scores; drift is a level above half way from its trained value to the threshold."""

    trained: int
    shift: int
    drifting: bool = False
    level_q8: int = field(init=False)

    def __post_init__(self) -> None:
        self.level_q8 = self.trained << 8

    @property
    def level(self) -> int:
        """The present level."""
        return min(self.level_q8 >> 8, _UINT32_MAX)

    def push(self, score: int, threshold: int) -> bool:
        """Takes one score; returns whether drift started or ended."""
        value = min(score, 2 * threshold) << 8
        self.level_q8 += (value >> self.shift) - (self.level_q8 >> self.shift)
        span = max(threshold - self.trained, 0)
        above = self.level_q8 >> 8 > self.trained + (span // 4 if self.drifting else span // 2)
        changed = above != self.drifting
        self.drifting = above
        return changed


def alarms(scores: Iterable[int], threshold: int, settings: Alarm) -> int:
    """Number of alarms over scores in order of time; a long alarm counts as several.

    Otherwise a threshold so low that one alarm never ends would look good.
    """
    state = AlarmState(settings)
    raised = windows = 0
    for score in scores:
        raised += state.push(score, threshold) and state.on
        windows += state.on
    short = settings.raise_windows + settings.hold_windows + settings.clear_windows
    return max(raised, -(-windows // short) if windows > short * raised else 0)


def windows_needed(share_ppm: int) -> int:
    """The minimum number of windows for a threshold: one of them may then exceed it."""
    return -(-_MILLION // share_ppm)


def threshold_of(scores: Sequence[int], share_ppm: int) -> int | None:
    """The lowest threshold that at most this share of scores reach; None if there are too few scores."""
    if len(scores) < windows_needed(share_ppm):
        return None
    allowed = len(scores) * share_ppm // _MILLION
    return min(sorted(scores, reverse=True)[allowed] + 1, _UINT32_MAX)
