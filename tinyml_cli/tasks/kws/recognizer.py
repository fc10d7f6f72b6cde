"""The recogniser of `firmware/lib/recognizer` in the same integers: scores over time -> detections."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.manifest_sections import RecognizerSettings, TensorQuantization

FIRST_WORD = 2  # labels start with silence, unknown: these are never reported
MAX_HISTORY = 64  # Recognizer::kMaxHistory

Reason = Literal["heard", "waits", "no word", "too few", "suppressed", "below threshold"]


@dataclass(frozen=True)
class RecognizerConfig:
    """RecognizerConfig of the firmware.

    Attributes:
        thresholds_permille: one per label.
        zero_point, permille_per_step_q16: a score q means (q - zero_point) * step / 65536 thousandths.
        longer_words: one per label: bit n is set if label n begins with it. Empty: none do.
        prefix_wait_ms: how long a word that is the beginning of another waits for that one.
    """

    thresholds_permille: tuple[int, ...]
    average_window_ms: int
    suppression_ms: int
    minimum_count: int
    zero_point: int
    permille_per_step_q16: int
    longer_words: tuple[int, ...] = ()
    prefix_wait_ms: int = 0

    @classmethod
    def of(
        cls, recognizer: RecognizerSettings, labels: Sequence[str], output: TensorQuantization
    ) -> RecognizerConfig:
        """The settings of the run's firmware; `output` is the quantisation of the int8 model's scores."""
        return cls(
            (round(recognizer.threshold * 1000),) * len(labels),
            recognizer.average_window_ms,
            recognizer.suppression_ms,
            recognizer.minimum_count,
            output.zero_point,
            int(output.scale * 1000.0 * 65536.0 + 0.5),
            tuple(recognizer.longer_word_masks(labels)),
            recognizer.prefix_wait_ms,
        )

    def begins(self, label: int, longer: int) -> bool:
        """Whether the word `longer` begins with the word `label`."""
        return bool(self.longer_words) and bool(self.longer_words[label] >> longer & 1)

    def wait_ms(self, label: int) -> int | None:
        """How long a word above its threshold has to wait; None: not at all."""
        return self.prefix_wait_ms if self.longer_words and self.longer_words[label] else None


@dataclass(frozen=True)
class ReportedWord:
    """A reported word.

    Attributes:
        time_ms: since the start of the stream, at the end of the inference that led to it.
        label: index into the labels.
        score_permille: the averaged score when it exceeded the threshold.
    """

    time_ms: int
    label: int
    score_permille: int


@dataclass(frozen=True)
class RecognizerStep:
    """The result of one inference.

    Attributes:
        time_ms: when.
        averages_permille: of every label over the window.
        best: the label with the highest average.
        count: inferences in the window.
        reason: "heard" or "waits" if `best` met every condition, otherwise the first one that it failed.
        reported: the word reported now; after a wait it need not be `best`.
    """

    time_ms: int
    averages_permille: tuple[int, ...]
    best: int
    count: int
    reason: Reason
    reported: ReportedWord | None


class ReportRule:
    """Decides which words are reported: each once, and none that is only the beginning of a longer one."""

    def __init__(self, settings: RecognizerConfig) -> None:
        self._settings = settings
        self._reported: ReportedWord | None = None
        self._held: ReportedWord | None = None
        self._wait_ms = 0

    @property
    def due_ms(self) -> int | None:
        """The earliest time at which a waiting word is reported; None: none waits."""
        return None if self._held is None else self._held.time_ms + self._wait_ms

    def suppresses(self, label: int, time_ms: int) -> bool:
        """Whether the word already waits, or it or a longer word that begins with it was just reported."""
        if self._held is not None and self._held.label == label:
            return True
        last = self._reported
        return (
            last is not None
            and (last.label == label or self._settings.begins(label, last.label))
            and time_ms - last.time_ms < self._settings.suppression_ms
        )

    def settle(self, time_ms: int, best: int, candidate: ReportedWord | None) -> ReportedWord | None:
        """Takes the leading label, and its detection if it meets the conditions; returns what is reported."""
        held = self._held
        if held is not None and candidate is not None and self._settings.begins(held.label, best):
            self._held = held = None
        if held is not None:
            return self._release(held, time_ms, best, candidate)
        if candidate is not None and self._settings.wait_ms(best) is not None:
            self._hold(candidate)
            return None
        self._reported = candidate or self._reported
        return candidate

    def _release(
        self, held: ReportedWord, time_ms: int, best: int, candidate: ReportedWord | None
    ) -> ReportedWord | None:
        """Ends the wait when it is over, or when another word follows, which waits for the next inference."""
        if candidate is None and time_ms - held.time_ms < self._wait_ms:
            return None
        self._held = None
        if self._settings.begins(held.label, best):
            return None
        if candidate is not None:
            self._hold(candidate)
        self._reported = ReportedWord(time_ms, held.label, held.score_permille)
        return self._reported

    def _hold(self, candidate: ReportedWord) -> None:
        self._held, self._wait_ms = candidate, self._settings.wait_ms(candidate.label) or 0


class Recognizer:
    """Smooths scores and reports words; see `firmware/lib/recognizer/recognizer.h`."""

    def __init__(self, settings: RecognizerConfig) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forgets all scores and detections."""
        self._history: deque[tuple[int, npt.NDArray[np.int64]]] = deque()
        self._verdict = ReportRule(self._settings)

    def push(self, time_ms: int, scores: npt.NDArray[np.int8]) -> RecognizerStep:
        """Takes the int8 scores [labels] of one inference; times must not decrease."""
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
        candidate = ReportedWord(time_ms, best, averages[best]) if reason == "heard" else None
        reported = self._verdict.settle(time_ms, best, candidate)
        if candidate is not None and reported != candidate:
            reason = "waits"
        return RecognizerStep(time_ms, averages, best, len(history), reason, reported)

    def _judge(self, best: int, permille: int, time_ms: int) -> Reason:
        settings = self._settings
        if len(self._history) < settings.minimum_count:
            return "too few"
        if best < FIRST_WORD:
            return "no word"
        if self._verdict.suppresses(best, time_ms):
            return "suppressed"
        return "heard" if permille >= settings.thresholds_permille[best] else "below threshold"

    def _permille(self, total: int) -> int:
        count = len(self._history)
        steps = total - count * self._settings.zero_point
        if steps <= 0:
            return 0
        scaled = steps * self._settings.permille_per_step_q16 // count
        return min((scaled + 32768) >> 16, 1000)
