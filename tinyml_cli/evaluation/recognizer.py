"""The recogniser of `firmware/lib/recognizer` in the same integers: scores over time -> words heard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.manifest import Manifest, TensorQuantization

FIRST_WORD = 2  # labels start with silence, unknown: these are never reported
MAX_HISTORY = 64  # Recognizer::kMaxHistory

Reason = Literal["heard", "no word", "too few", "suppressed", "below threshold"]


@dataclass(frozen=True)
class Settings:
    """RecognizerConfig of the firmware.

    Attributes:
        thresholds_permille: one for each label.
        zero_point, permille_per_step_q16: a score q stands for (q - zero_point) * step / 65536 thousandths.
    """

    thresholds_permille: tuple[int, ...]
    average_window_ms: int
    suppression_ms: int
    minimum_count: int
    zero_point: int
    permille_per_step_q16: int

    @classmethod
    def of(cls, manifest: Manifest, output: TensorQuantization) -> Settings:
        """What firmware made from the run gets; `output` is the quantisation of the int8 model's scores."""
        recognizer = manifest.recognizer
        return cls(
            (round(recognizer.threshold * 1000),) * len(manifest.labels),
            recognizer.average_window_ms,
            recognizer.suppression_ms,
            recognizer.minimum_count,
            output.zero_point,
            int(output.scale * 1000.0 * 65536.0 + 0.5),
        )


@dataclass(frozen=True)
class Step:
    """What one inference led to.

    Attributes:
        time_ms: when.
        averages_permille: of every label over the window.
        best: the label with the highest average.
        count: inferences in the window.
        reason: "heard", or the first condition that `best` failed.
    """

    time_ms: int
    averages_permille: tuple[int, ...]
    best: int
    count: int
    reason: Reason


class Recognizer:
    """Smooths scores and reports words; see `firmware/lib/recognizer/recognizer.h`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forgets all scores and reports."""
        self._history: deque[tuple[int, npt.NDArray[np.int64]]] = deque()
        self._reported: tuple[int, int] | None = None

    def push(self, time_ms: int, scores: npt.NDArray[np.int8]) -> Step:
        """Takes the int8 scores [labels] of one inference at a time that never decreases."""
        settings, history = self._settings, self._history
        while history and (
            len(history) == MAX_HISTORY or time_ms - history[0][0] >= settings.average_window_ms
        ):
            history.popleft()
        history.append((time_ms, scores.astype(np.int64)))
        sums = np.sum([values for _, values in history], axis=0)
        averages = tuple(self._permille(int(total)) for total in sums)
        best = int(sums.argmax())
        reason = self._judge(best, averages[best], time_ms)
        if reason == "heard":
            self._reported = best, time_ms
        return Step(time_ms, averages, best, len(history), reason)

    def _judge(self, best: int, permille: int, time_ms: int) -> Reason:
        settings = self._settings
        if len(self._history) < settings.minimum_count:
            return "too few"
        if best < FIRST_WORD:
            return "no word"
        if (
            self._reported is not None
            and self._reported[0] == best
            and time_ms - self._reported[1] < settings.suppression_ms
        ):
            return "suppressed"
        return "heard" if permille >= settings.thresholds_permille[best] else "below threshold"

    def _permille(self, total: int) -> int:
        count = len(self._history)
        steps = total - count * self._settings.zero_point
        if steps <= 0:
            return 0
        scaled = steps * self._settings.permille_per_step_q16 // count
        return min((scaled + 32768) >> 16, 1000)
