"""Who says what: voices of the speech engines, shared out over the words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import (
    espeak,
    flite,
    kokoro,
    kokoro_files,
    languages,
    phonemes,
    pseudo_words,
    reading,
    sayable,
    vocabulary,
)
from tinyml_cli.speech.languages import Language
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.reading import SpokenAs
from tinyml_cli.speech.voices import Voices

# Share of "unknown" clips taken from the words nearest in sound to a target, and how many words those are.
_NEAR_SHARE, _NEAR_WORDS = 0.5, 60
# Other words that take the place of each word of a phrase.
_PARTNERS, _PARTS_SEED = 6, 612
# Words a minute of what came out too short at 100 to 230.
_SLOW = 80
_PUNCTUATION = ("", ".", "?", "!")
Utterance = espeak.EspeakUtterance | flite.FliteUtterance | kokoro.KokoroUtterance
# Of a language without a list of other words.
_PSEUDO_WORDS = 250
_PSEUDO_SEED = 1948
_ENGINES = {espeak.EspeakUtterance: "espeak", flite.FliteUtterance: "flite", kokoro.KokoroUtterance: "kokoro"}


@dataclass(frozen=True)
class SpokenText:
    """A text in a language."""

    word: str
    text: str
    language: Language


@dataclass(frozen=True)
class Planned:
    """An utterance, the label it trains and the word it says."""

    utterance: Utterance
    label: str
    word: str
    spoken: SpokenText | None = None

    @property
    def group(self) -> str:
        """The voice as a speaker."""
        return f"{_ENGINES[type(self.utterance)]}/{self.utterance.voice}"


def is_synthetic(group: str) -> bool:
    """Whether a speaker is one of the voices of `synthesise`, or of the files of `tinyml data synth`."""
    return group.startswith(tuple(engine + mark for engine in _ENGINES.values() for mark in "/-"))


def accent_of(group: str) -> str:
    """`en-gb-scotland` of eSpeak's voice `espeak/en-gb-scotland+f5`, or its file; "" for other speakers."""
    engine, voice = group[: len("espeak")], group[len("espeak/") :]
    return voice.partition("+")[0] if engine == "espeak" and is_synthetic(group) else ""


def plan(
    said: Mapping[str, Sequence[SpokenAs]],
    words: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    voices: Voices,
    seed: int,
    how: Pronunciation,
) -> list[Planned]:
    """Who would say what, before anybody speaks; arguments and errors as of synthesise.

    `said` are those of the targets `words` that the voices can say; other words sound like none of `words`.
    """
    others = [_other_words(words, said, language, how) for language in how.spoken]
    targets = {
        word: [SpokenText(word, reading.text, reading.language) for reading in readings]
        for word, readings in said.items()
    }
    return _plan(targets, others, clips_per_word, unknown_clips, _usable(voices, how), seed)


def fixed_splits(groups: Iterable[str]) -> dict[str, Split]:
    """The speakers whose split is settled: flite's voices are too few to hold one out."""
    return {str(group): "train" for group in set(groups) if group.startswith("flite/")}


def _usable(voices: Voices, how: Pronunciation) -> Voices:
    usable = installed(voices).engines
    if not usable:
        raise TinymlError("No speech engine is available", "synthesis.engines", "Add espeak to the list.")
    if "kokoro" in usable:
        kokoro_files.require()
    for language in how.spoken:
        if not _speaking(voices, usable, language):
            raise TinymlError(
                f"{' and '.join(usable)} cannot speak {language}",
                "synthesis.engines",
                "Add espeak to the list.",
            )
    return replace(voices, engines=usable)


def installed(voices: Voices) -> Voices:
    """Those that may speak, without flite where it is missing."""
    return replace(voices, engines=[e for e in voices.engines if e != "flite" or flite.is_installed()])


def kokoro_voices(voices: Voices, language: Language) -> list[str]:
    """Kokoro's voices of a language that may speak."""
    return [v for v in kokoro.voices_of(language.code) if not voices.kokoro or v in voices.kokoro]


def _speaking(voices: Voices, engines: Sequence[str], language: Language) -> list[str]:
    """The engines that have voices for a language."""
    able = {
        "espeak": True,
        "flite": language.code == languages.ENGLISH,
        "kokoro": bool(kokoro_voices(voices, language)),
    }
    return [engine for engine in engines if able[engine]]


def _other_words(
    words: Sequence[str], said: Mapping[str, Sequence[SpokenAs]], language: Language, how: Pronunciation
) -> list[SpokenText]:
    """Vocabulary without what sounds like a target, nearest words first."""
    known = vocabulary.words_of(language.code)
    if not known:
        rng = np.random.default_rng(_PSEUDO_SEED)
        known = tuple(dict.fromkeys(pseudo_words.invent(language, _PSEUDO_WORDS, rng)))
    candidates = [w for w in (*known, *_parts(words, known)) if w not in words]
    targets = reading.target_sounds(words, language, how)
    spoken = dict(zip(candidates, reading.sounds(candidates, language), strict=True))
    if foreign := reading.foreign_sounds(said, language):
        ipa = espeak.pronounce(candidates, language.voices[0])
        alike = {w for w, i in zip(candidates, ipa, strict=True) if phonemes.segments(i) in foreign}
        spoken = {word: sounds for word, sounds in spoken.items() if word not in alike}
    ranked = phonemes.rank_by_nearness(spoken, targets)
    return [SpokenText(pseudo_words.shown(word), word, language) for word in ranked]


def _parts(phrases: Sequence[str], known: Sequence[str]) -> list[str]:
    """Each word of the phrases alone, and the phrases with another word in its place."""
    rng = np.random.default_rng(_PARTS_SEED)
    found = []
    for phrase in phrases:
        words = phrase.split()
        for place in range(len(words) if len(words) > 1 else 0):
            found.append(words[place])
            for other in rng.choice(known, _PARTNERS):
                found.append(" ".join([*words[:place], str(other), *words[place + 1 :]]))
    return list(dict.fromkeys(found))


def _plan(
    targets: Mapping[str, Sequence[SpokenText]],
    others: Sequence[Sequence[SpokenText]],
    clips_per_word: int,
    unknown_clips: int,
    voices: Voices,
    seed: int,
) -> list[Planned]:
    rng = np.random.default_rng([seed, 1])
    wanted = [(word, _one(targets[word], rng)) for word in targets for _ in range(clips_per_word)]
    for _ in range(unknown_clips):
        ranked = _one(others, rng)
        pool = ranked[:_NEAR_WORDS] if rng.random() < _NEAR_SHARE else ranked
        wanted.append((UNKNOWN, pool[int(rng.integers(len(pool)))]))
    casting = Casting(voices, {spoken.text for readings in targets.values() for spoken in readings})
    return [Planned(casting.utterance(spoken, rng), label, spoken.word, spoken) for label, spoken in wanted]


def recast(planned: Sequence[Planned], voices: Voices, seed: Sequence[int]) -> list[Planned]:
    """The same texts by other voices, those of espeak-ng slower: what is too short becomes longer."""
    rng = np.random.default_rng(seed)
    texts = [each.spoken for each in planned if each.spoken is not None]
    casting = Casting(installed(voices), {spoken.text for spoken in texts})
    return [
        replace(each, utterance=_slower(casting.utterance(each.spoken, rng))) if each.spoken else each
        for each in planned
    ]


def _slower(utterance: Utterance) -> Utterance:
    return replace(utterance, rate=_SLOW) if isinstance(utterance, espeak.EspeakUtterance) else utterance


class Casting:
    """Draws a voice for a text."""

    def __init__(self, voices: Voices, texts: Iterable[str]) -> None:
        """Keeps who may speak.

        Args:
            voices: of engines that are installed.
            texts: of the targets.

        Raises:
            TinymlError: one that no engine can say, or espeak-ng is missing.
        """
        self._voices = voices
        self._variants = espeak.variants() if "espeak" in voices.engines else []
        self._spelt = set(spelt_by_flite(sorted(texts), voices.engines))

    def utterance(self, spoken: SpokenText, rng: np.random.Generator) -> Utterance:
        """A text by any of the voices of its language."""
        language = spoken.language
        engines = _speaking(self._voices, self._voices.engines, language)
        if spoken.text in self._spelt:
            engines = [engine for engine in engines if engine != "flite"]
        if not engines:
            raise TinymlError(
                f"flite spells `{spoken.word}` out, letter by letter",
                "synthesis.engines",
                "Add espeak to the list.",
            )
        engine = _choose(self._voices.shares(engines), rng.random())
        if engine == "flite":
            return flite_utterance(spoken.text, rng)
        if engine == "kokoro":
            return kokoro_utterance(spoken.text, language.code, kokoro_voices(self._voices, language), rng)
        return espeak_utterance(spoken.text, self._variants, rng, language.voices)


_T = TypeVar("_T")


def _one(options: Sequence[_T], rng: np.random.Generator) -> _T:
    """Any of them; draws nothing where there is no choice."""
    return options[0] if len(options) == 1 else options[int(rng.integers(len(options)))]


def spelt_by_flite(words: Sequence[str], engines: Sequence[str]) -> list[str]:
    """The words that flite has to leave to other engines."""
    usable = "flite" in engines and flite.is_installed()
    return [
        word
        for word in words
        if usable and (word.startswith("[[") or (not sayable.people_spell(word) and flite.spells(word)))
    ]


def _choose(shares: Sequence[tuple[str, float]], draw: float) -> str:
    """The engine for a uniform draw from 0 to 1."""
    for engine, share in shares:
        draw -= share
        if draw < 0:
            return engine
    return shares[-1][0]


def espeak_utterance(
    text: str,
    variants: Sequence[str],
    rng: np.random.Generator,
    voices: Sequence[str] = espeak.ACCENTS,
) -> espeak.EspeakUtterance:
    """A text by any of espeak-ng's voices."""
    return espeak.EspeakUtterance(
        text=_punctuated(text, rng),
        voice=f"{rng.choice(voices)}+{rng.choice(variants)}",
        rate=int(rng.integers(100, 230)),
        pitch=int(rng.integers(15, 90)),
        pitch_range=int(rng.integers(20, 95)),
    )


def flite_utterance(text: str, rng: np.random.Generator) -> flite.FliteUtterance:
    """A text by any of flite's voices."""
    voice = str(rng.choice(flite.VOICES))
    return flite.FliteUtterance(
        text=_punctuated(text, rng),
        voice=voice,
        stretch=round(float(rng.uniform(0.7, 1.5)), 2),
        pitch_hz=round(flite.MEAN_PITCH_HZ[voice] * float(rng.uniform(0.75, 1.5))),
        pitch_deviation_hz=round(float(rng.uniform(5, 45))),
    )


def kokoro_utterance(
    text: str, language: str, voices: Sequence[str], rng: np.random.Generator
) -> kokoro.KokoroUtterance:
    """A text by any of these voices of Kokoro."""
    # At 0.7 and 1.4 three models understood 43 of 108 times "no", at 0.85 and 1.2 it was 69 of 108.
    return kokoro.KokoroUtterance(
        text=_punctuated(text, rng),
        voice=str(rng.choice(voices)),
        speed=round(float(rng.uniform(0.85, 1.2)), 2),
        language=None if language == languages.ENGLISH else language,
    )


def _punctuated(text: str, rng: np.random.Generator) -> str:
    """The text as a statement, a question or a call."""
    return text + str(rng.choice(_PUNCTUATION))
