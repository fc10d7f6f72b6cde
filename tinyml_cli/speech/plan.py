"""Who says what: voices of the speech engines, shared out over the words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, flite, kokoro, kokoro_files, phonemes, sayable, vocabulary

# Share of the utterances beside espeak, which speaks the rest. flite's voices are few but closer to people;
# Kokoro's are neural, but each clip takes most of a second of a processor.
_SHARES = {"flite": 0.3, "kokoro": 0.15}
# Share of "unknown" clips taken from the words nearest in sound to a target, and how many words those are.
_NEAR_SHARE, _NEAR_WORDS = 0.5, 60
_PUNCTUATION = ("", ".", "?", "!")
Utterance = espeak.EspeakUtterance | flite.FliteUtterance | kokoro.KokoroUtterance
_ENGINES = {espeak.EspeakUtterance: "espeak", flite.FliteUtterance: "flite", kokoro.KokoroUtterance: "kokoro"}


@dataclass(frozen=True)
class Planned:
    """An utterance, the label it trains and the word it says."""

    utterance: Utterance
    label: str
    word: str

    @property
    def group(self) -> str:
        """The voice as a speaker."""
        return f"{_ENGINES[type(self.utterance)]}/{self.utterance.voice}"


def is_synthetic(group: str) -> bool:
    """Whether a speaker is one of the voices of `synthesise`, or of the files of `tinyml data synth`."""
    return group.startswith(tuple(engine + mark for engine in _ENGINES.values() for mark in "/-"))


def plan(
    said: Sequence[str],
    words: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    seed: int,
) -> list[Planned]:
    """Who would say what, before anybody speaks; arguments and errors as of synthesise.

    `said` are those of the targets `words` that the voices can say; other words sound like none of `words`.
    """
    return _plan(said, _other_words(words), clips_per_word, unknown_clips, _usable(engines), seed)


def fixed_splits(groups: Iterable[str]) -> dict[str, Split]:
    """The speakers whose split is settled: flite's voices are too few to hold one out."""
    return {str(group): "train" for group in set(groups) if group.startswith("flite/")}


def _usable(engines: Sequence[str]) -> list[str]:
    usable = [engine for engine in engines if engine != "flite" or flite.is_installed()]
    if not usable:
        raise TinymlError("No speech engine is available", "synthesis.engines", "Add espeak to the list.")
    if "kokoro" in usable:
        kokoro_files.require()
    return usable


def _other_words(words: Sequence[str]) -> list[str]:
    """Vocabulary without what sounds like a target, nearest words first."""
    candidates = [w for w in vocabulary.WORDS if w not in words]
    spoken = espeak.pronounce([*words, *candidates])
    targets, others = spoken[: len(words)], spoken[len(words) :]
    return phonemes.rank_by_nearness(dict(zip(candidates, others, strict=True)), targets)


def _plan(
    words: Sequence[str],
    others: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    seed: int,
) -> list[Planned]:
    spelt = spelt_by_flite(words, engines)
    beside_flite = _engine_shares([engine for engine in engines if engine != "flite"])
    if spelt and not beside_flite:
        raise TinymlError(
            f"flite spells `{spelt[0]}` out, letter by letter", "synthesis.engines", "Add espeak to the list."
        )
    rng = np.random.default_rng([seed, 1])
    wanted = [(word, word) for word in words for _ in range(clips_per_word)]
    for _ in range(unknown_clips):
        pool = others[:_NEAR_WORDS] if rng.random() < _NEAR_SHARE else others
        wanted.append((UNKNOWN, str(rng.choice(pool))))
    shares = _engine_shares(engines)
    variants = espeak.variants() if "espeak" in engines else []
    plan = []
    for label, word in wanted:
        engine = _choose(beside_flite if word in spelt else shares, rng.random())
        if engine == "flite":
            utterance: Utterance = flite_utterance(word, rng)
        elif engine == "kokoro":
            utterance = _kokoro_utterance(word, rng)
        else:
            utterance = espeak_utterance(word, variants, rng)
        plan.append(Planned(utterance, label, word))
    return plan


def spelt_by_flite(words: Sequence[str], engines: Sequence[str]) -> list[str]:
    """The words that flite has to leave to other engines."""
    usable = "flite" in engines and flite.is_installed()
    return [word for word in words if usable and not sayable.people_spell(word) and flite.spells(word)]


def _engine_shares(engines: Sequence[str]) -> list[tuple[str, float]]:
    """(engine, its share of the utterances), adding up to 1."""
    listed = [(engine, share) for engine, share in _SHARES.items() if engine in engines]
    total = sum(share for _, share in listed)
    if "espeak" in engines:
        return [*listed, ("espeak", 1 - total)]
    return [(engine, share / total) for engine, share in listed]


def _choose(shares: Sequence[tuple[str, float]], draw: float) -> str:
    """The engine for a uniform draw from 0 to 1."""
    for engine, share in shares:
        draw -= share
        if draw < 0:
            return engine
    return shares[-1][0]


def espeak_utterance(word: str, variants: Sequence[str], rng: np.random.Generator) -> espeak.EspeakUtterance:
    """A text by any of espeak-ng's voices."""
    return espeak.EspeakUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=f"{rng.choice(espeak.ACCENTS)}+{rng.choice(variants)}",
        rate=int(rng.integers(100, 230)),
        pitch=int(rng.integers(15, 90)),
        pitch_range=int(rng.integers(20, 95)),
    )


def flite_utterance(word: str, rng: np.random.Generator) -> flite.FliteUtterance:
    """A text by any of flite's voices."""
    voice = str(rng.choice(flite.VOICES))
    return flite.FliteUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=voice,
        stretch=round(float(rng.uniform(0.7, 1.5)), 2),
        pitch_hz=round(flite.MEAN_PITCH_HZ[voice] * float(rng.uniform(0.75, 1.5))),
        pitch_deviation_hz=round(float(rng.uniform(5, 45))),
    )


def _kokoro_utterance(word: str, rng: np.random.Generator) -> kokoro.KokoroUtterance:
    # At 0.7 and 1.4 three models understood 43 of 108 times "no", at 0.85 and 1.2 it was 69 of 108.
    return kokoro.KokoroUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=str(rng.choice(kokoro.VOICES)),
        speed=round(float(rng.uniform(0.85, 1.2)), 2),
    )
