"""Records words one by one: prompts, takes, verdicts; earlier recordings are counted, not repeated."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinyml_cli.collect.record_keys import Keys
from tinyml_cli.collect.record_source import AudioSource, Samples
from tinyml_cli.collect.record_view import Prompt, RecordView
from tinyml_cli.data.clip_files import save_clip, takes_of
from tinyml_cli.data.trim import Cut, cut_word

_ENTER = ("\r", "\n", " ")
_SHOWN_S = 0.8


@dataclass(frozen=True)
class WordPlan:
    """What to record.

    Attributes:
        words: to be said, each a folder.
        speaker: as it stands in file names.
        folder: the data folder.
        count: clips of each word that there shall be of this speaker, those of earlier sessions included.
        take_s: length of a take.
        countdown_s: time from the key to the take.
        clip_ms: length of a clip.
        keep_good: keep takes without faults unasked.
        hints: word -> how it is said, to be shown beside it.
    """

    words: tuple[str, ...]
    speaker: str
    folder: Path
    count: int
    take_s: float = 2.0
    countdown_s: float = 1.5
    clip_ms: int = 1000
    keep_good: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)

    def clips(self, word: str) -> int:
        """Clips of the word that this speaker has."""
        return len(takes_of(self.folder / word, self.speaker))

    def missing(self) -> int:
        """Clips that are still wanted."""
        return sum(max(0, self.count - self.clips(word)) for word in self.words)

    def cut(self, take: Samples, rate_hz: int) -> Cut:
        """The clip that a take becomes, and what is wrong with it."""
        return cut_word(take, rate_hz, self.clip_ms * rate_hz // 1000)

    def keep(self, word: str, cut: Cut, rate_hz: int) -> Path:
        """Stores a clip.

        Raises:
            TinymlError: it cannot be written.
        """
        return save_clip(self.folder / word, self.speaker, cut.audio, rate_hz)


@dataclass
class SessionOutcome:
    """What became of the takes.

    Attributes:
        kept: clips by word.
        rejected: takes by word that were not kept.
        quit: the person ended the session.
    """

    kept: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    quit: bool = False


class _QuitError(Exception):
    """The person wants to end the session."""


class Recorder:
    """A session at a terminal.

    Args:
        plan: what to record.
        source: an open source of sound.
        view: shows what happens.
        keys: the keyboard.
    """

    def __init__(self, plan: WordPlan, source: AudioSource, view: RecordView, keys: Keys) -> None:
        self._plan = plan
        self._source = source
        self._view = view
        self._keys = keys
        self.outcome = SessionOutcome(dict.fromkeys(plan.words, 0), dict.fromkeys(plan.words, 0))

    def run(self) -> SessionOutcome:
        """Records until nothing is missing or the person quits. What was kept stays, whatever happens.

        Raises:
            TinymlError: the source ended or broke, or a clip cannot be saved.
        """
        skipped: set[str] = set()
        automatic = False
        try:
            for word in self._order():
                if word in skipped:
                    continue
                prompt = self._prompt(word)
                if not automatic and not self._begin(prompt):
                    skipped.add(word)
                    continue
                while (keeps := self._record(prompt)) is None:
                    pass
                automatic = keeps and self._plan.keep_good
        except _QuitError:
            self.outcome.quit = True
        finally:
            self._view.clear()
        return self.outcome

    def _order(self) -> Iterator[str]:
        """Words in turn, shuffled in each round, so that nobody falls into a chant."""
        left = {word: self._plan.count - self._plan.clips(word) for word in self._plan.words}
        rng = np.random.default_rng(sum(max(0, n) for n in left.values()))
        while any(n > 0 for n in left.values()):
            words = [word for word, n in left.items() if n > 0]
            for index in rng.permutation(len(words)):
                left[words[index]] -= 1
                yield words[index]

    def _prompt(self, word: str) -> Prompt:
        hint = self._plan.hints.get(word, "")
        return Prompt(word, self._plan.clips(word) + 1, self._plan.count, self._plan.missing(), hint)

    def _begin(self, prompt: Prompt) -> bool:
        """Waits for the key that starts the take; False skips the word."""
        self._keys.flush()
        self._view.ask(prompt)
        while True:
            key = self._keys.read()
            if key == "q":
                raise _QuitError
            if key == "s":
                return False
            if key in _ENTER:
                return True

    def _record(self, prompt: Prompt) -> bool | None:
        """One take: True keeps it, False goes on without it, None means once more."""
        take = self._take(prompt)
        rate_hz = self._source.sample_rate_hz
        cut = self._plan.cut(take, rate_hz)
        good = not cut.faults
        self._keys.flush()
        self._view.judge(prompt, take, cut, good and self._plan.keep_good)
        if good and self._plan.keep_good:
            time.sleep(_SHOWN_S)
            decision = "k"
        else:
            decision = self._decide("k" if good else "a")
        if decision == "k":
            self._plan.keep(prompt.word, cut, rate_hz)
            self.outcome.kept[prompt.word] += 1
            return True
        self.outcome.rejected[prompt.word] += 1
        if decision == "q":
            raise _QuitError
        return None if decision == "a" else False

    def _decide(self, default: str) -> str:
        while True:
            key = self._keys.read()
            if key in _ENTER:
                return default
            if key in ("k", "a", "r", "q"):
                return key

    def _take(self, prompt: Prompt) -> Samples:
        steps = 3
        for step in range(steps if self._plan.countdown_s > 0 else 0):
            self._view.countdown(prompt, steps - step)
            if self._keys.read(self._plan.countdown_s / steps) == "q":
                raise _QuitError
        self._view.listen(prompt)
        heard = 0

        def on_block(block: Samples) -> None:
            nonlocal heard
            heard += len(block)
            share = heard / (self._plan.take_s * self._source.sample_rate_hz)
            self._view.hear(prompt, block, min(1.0, share))

        return self._source.record(self._plan.take_s, on_block)


def cut_all(cuts: Sequence[Cut], plan: WordPlan, word: str, rate_hz: int) -> SessionOutcome:
    """Saves the words found in a long recording, up to the number that is wanted; the faulty are left out."""
    outcome = SessionOutcome({word: 0}, {word: 0})
    for cut in cuts:
        if cut.faults:
            outcome.rejected[word] += 1
        elif plan.clips(word) < plan.count:
            plan.keep(word, cut, rate_hz)
            outcome.kept[word] += 1
    return outcome
