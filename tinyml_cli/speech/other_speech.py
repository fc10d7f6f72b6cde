"""Speech that is none of the targets: one plan for all words, so that a computer speaks it once.

Words, invented words, short phrases and numbers. They are planned in blocks of the same voices and words for
every training; each block is cached by itself, and utterances that hold a target are left out afterwards.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.speech import espeak, flite, languages, phonemes, pseudo_words, reading, vocabulary
from tinyml_cli.speech.languages import Language
from tinyml_cli.speech.plan import (
    Planned,
    espeak_utterance,
    flite_utterance,
    kokoro_utterance,
    kokoro_voices,
)
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.synthesis import speak
from tinyml_cli.speech.voices import Voices

BLOCK = 500
"""Utterances of a block."""
KOKORO_BLOCK = 50
"""The same of Kokoro's, a minute of a processor."""

_SEED = 1902
# flite starts a process for each utterance: ten times the time of espeak-ng.
_FLITE_SHARE = 0.12
_SOUNDS = """
b bl br ch d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl sm sn sp st str sw t th tr v w y z
a e i o u ai ee oa oo ou ow er ar or ie
b ck d f g l ll m n nd ng nk nt p rd s ss sh st t th x z
"""
_ONSETS, _VOWELS, _CODAS = (line.split() for line in _SOUNDS.strip().splitlines())
_NUMBERS = """
one two three four five six seven eight nine
ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety
"""
_ONES, _TEENS, _TENS = (line.split() for line in _NUMBERS.strip().splitlines())


@dataclass(frozen=True)
class Utterance:
    """One utterance.

    Attributes:
        text: what is said.
        group: the voice as a speaker.
        audio: int16 [samples], from its first to its last sound.
        distance: of its sounds from the nearest target's, 0 to 1.
        is_invented: whether it is a word that nobody says.
    """

    text: str
    group: str
    audio: NDArray[np.int16]
    distance: float
    is_invented: bool = False


def other_speech(
    words: Sequence[str],
    count: int,
    sample_rate_hz: int,
    voices: Voices,
    how: Pronunciation | None = None,
    kokoro_count: int = 0,
) -> list[Utterance]:
    """Utterances that hold none of the words, nor anything that sounds like one.

    Args:
        words: the targets, as they are spelt.
        count: utterances before those that hold a target are left out, in whole blocks of BLOCK.
        sample_rate_hz: of the audio.
        voices: flite, where it is listed and installed, says some of the English; espeak-ng the rest.
        how: in which languages, a block each in turn; English by default.
        kokoro_count: more of them, by Kokoro where it is listed, in whole blocks of KOKORO_BLOCK.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing, or the cache cannot be written.
    """
    how = how or Pronunciation()
    with_flite = "flite" in voices.engines and flite.is_installed()
    blocks: list[tuple[Language, list[Planned]]] = []
    for number in range(-(-count // BLOCK)):
        turn, which = divmod(number, len(how.spoken))
        blocks.append((how.spoken[which], plan(turn, with_flite, how.spoken[which])))
    neural = [language for language in how.spoken if kokoro_voices(voices, language)]
    if "kokoro" in voices.engines and neural:
        for number in range(-(-kokoro_count // KOKORO_BLOCK)):
            turn, which = divmod(number, len(neural))
            blocks.append((neural[which], plan_kokoro(turn, voices, neural[which])))
    distances: dict[str, float] = {}
    for language in how.spoken:
        texts = [each.word for spoken_in, block in blocks for each in block if spoken_in == language]
        distances.update(_distances(texts, words, language, how))
    planned = [each for _, block in blocks for each in block]
    invented = {
        each.word for language, block in blocks for each in block if _is_invented(each.word, language)
    }
    spoken = [audio for _, block in blocks for audio in speak(block, sample_rate_hz, tells_cached=False)]
    return [
        Utterance(each.word, each.group, audio, distances[each.word], each.word in invented)
        for each, audio in zip(planned, spoken, strict=True)
        if len(audio) and each.word in distances
    ]


def plan(number: int, with_flite: bool, language: Language | None = None) -> list[Planned]:
    """Who says what in a block of a language, English by default."""
    if language is not None and language.code != languages.ENGLISH:
        return _plan_elsewhere(number, language)
    rng = np.random.default_rng([_SEED, number])
    variants = espeak.variants()
    planned = []
    for _ in range(BLOCK):
        text = _text(rng)
        by_flite = rng.random() < _FLITE_SHARE and with_flite
        utterance = flite_utterance(text, rng) if by_flite else espeak_utterance(text, variants, rng)
        planned.append(Planned(utterance, UNKNOWN, text))
    return planned


def plan_kokoro(number: int, voices: Voices, language: Language) -> list[Planned]:
    """Who says what in a block of Kokoro's."""
    rng = np.random.default_rng([_SEED, number, 1])
    speakers = kokoro_voices(voices, language)
    texts: Iterator[str]
    if language.code == languages.ENGLISH:
        texts = (_text(rng) for _ in range(KOKORO_BLOCK))
    else:
        texts = _texts_elsewhere(KOKORO_BLOCK, language, rng)
    return [Planned(kokoro_utterance(text, language.code, speakers, rng), UNKNOWN, text) for text in texts]


def _plan_elsewhere(number: int, language: Language) -> list[Planned]:
    """A block of a language other than English, by espeak-ng."""
    rng = np.random.default_rng([_SEED, number])
    variants = espeak.variants()
    planned = []
    for text in _texts_elsewhere(BLOCK, language, rng):
        planned.append(Planned(espeak_utterance(text, variants, rng, language.voices), UNKNOWN, text))
    return planned


def _texts_elsewhere(count: int, language: Language, rng: np.random.Generator) -> Iterator[str]:
    """Texts of a language other than English, whose voices read numbers by themselves."""
    known = vocabulary.words_of(language.code)
    for pseudo_word in pseudo_words.invent(language, count, rng):
        kind = rng.random()
        if kind < 0.2 or not known:
            yield pseudo_word
        elif kind < 0.33:
            yield " ".join(map(str, rng.choice(known, size=int(rng.integers(2, 4)))))
        elif kind < 0.4:
            yield str(rng.integers(1, 1000))
        else:
            yield str(rng.choice(known))


def _text(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.6:
        return str(rng.choice(vocabulary.WORDS))
    if kind < 0.8:
        return _invented(rng)
    if kind < 0.93:
        return " ".join(map(str, rng.choice(vocabulary.WORDS, size=int(rng.integers(2, 4)))))
    return _number(int(rng.integers(1, 1000)))


def _invented(rng: np.random.Generator) -> str:
    parts = []
    for _ in range(1 if rng.random() < 0.6 else 2):
        onset = rng.choice(_ONSETS) if rng.random() < 0.95 else ""
        coda = rng.choice(_CODAS) if rng.random() < 0.9 else ""
        parts += [str(onset), str(rng.choice(_VOWELS)), str(coda)]
    return "".join(parts)


def _is_invented(text: str, language: Language) -> bool:
    """Whether none of its words is known, where the language has a list of words."""
    known = _known(language.code)
    return bool(known) and not any(part in known or part.isdigit() for part in text.split())


@functools.cache
def _known(code: str) -> frozenset[str]:
    if code == languages.ENGLISH:
        return frozenset((*vocabulary.WORDS, *_NUMBERS.split(), "hundred"))
    return frozenset(vocabulary.words_of(code))


def _number(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    parts = [_ONES[hundreds - 1], "hundred"] if hundreds else []
    if rest >= 20:
        parts.append(_TENS[rest // 10 - 2])
        rest %= 10
    if rest >= 10:
        parts.append(_TEENS[rest - 10])
    elif rest:
        parts.append(_ONES[rest - 1])
    return " ".join(parts)


def _distances(
    texts: Sequence[str], words: Sequence[str], language: Language, how: Pronunciation
) -> dict[str, float]:
    """How far the sounds of each text are from the nearest word's, per sound of the longer of the two.

    Texts in whose sounds those of a word are found are left out, across words too: "when oh" holds "no".
    """
    distinct = sorted({part for text in texts for part in text.split()})
    targets = [sound for sound in reading.target_sounds(words, language, how) if sound]
    sounds = dict(zip(distinct, reading.sounds(distinct, language), strict=True))
    found = {}
    for text in sorted(set(texts)):
        sound = "".join(sounds[part] for part in text.split())
        if not any(target in sound for target in targets):
            apart = [phonemes.distance(sound, target) / max(len(sound), len(target)) for target in targets]
            found[text] = min(apart, default=1.0)
    return found
