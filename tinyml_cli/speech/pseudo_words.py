"""Words that a language does not have but could: for languages without a list of other words.

A chain of phonemes after the language's other words and its numbers, which voices read without a list: each
phoneme is one that follows the two before it in some word (C. Shannon, "A Mathematical Theory of
Communication", 1948, section 3).
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from tinyml_cli.speech import espeak, phonemes, vocabulary
from tinyml_cli.speech.languages import Language

_NUMBERS = (*range(1, 21), *range(21, 1000, 7), 1000, 100_000, 1_000_000)
# Read by voices without numbers of their own.
_SYLLABLES = tuple(f"{onset}{vowel}" for onset in "bdfghklmnprstv" for vowel in "aeiou")
_FEWEST_READ = 20
_FEWEST_PHONEMES, _MOST_PHONEMES = 3, 10

Chain = Mapping[tuple[str, str], Sequence[str]]


def invent(language: Language, count: int, rng: np.random.Generator) -> list[str]:
    """Words as espeak-ng's names of phonemes, such as `[[z|'i:|b|@]]`, which its voices say.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing.
    """
    chain = _chain(language)
    return [_word(chain, rng) for _ in range(count)]


def shown(text: str) -> str:
    """A word of `invent` as a file's name can hold it; any other text as it is."""
    if not text.startswith("[["):
        return text
    return "".join(c for c in text.lower() if c.isalpha()) or "word"


def _word(chain: Chain, rng: np.random.Generator) -> str:
    names: list[str] = []
    state = ("", "")
    while len(names) < _MOST_PHONEMES:
        following = chain[state]
        name = str(following[int(rng.integers(len(following)))])
        if not name:
            if len(names) >= _FEWEST_PHONEMES:
                break
            state = ("", "")
            continue
        names.append(name)
        state = (state[1], name)
    return f"[[{'|'.join(names)}]]"


@functools.cache
def _chain(language: Language) -> Chain:
    """The last two phonemes -> those that follow them in some word; "" begins and ends a word."""
    voice = language.voices[0]
    texts = (*vocabulary.words_of(language.code), *map(str, _NUMBERS))
    spoken = _read(voice, texts)
    if len(spoken) < _FEWEST_READ:
        spoken = _read(voice, _SYLLABLES)
    chain: dict[tuple[str, str], list[str]] = defaultdict(list)
    for names in spoken:
        padded = ["", "", *names, ""]
        for first, second, third in zip(padded, padded[1:], padded[2:], strict=False):
            chain[first, second].append(third)
    return dict(chain)


def _read(voice: str, texts: Sequence[str]) -> list[list[str]]:
    """The phonemes of the texts that the voice reads without another language's help."""
    ipa = espeak.pronounce(texts, voice)
    own = [text for text, sounds in zip(texts, ipa, strict=True) if _is_own(sounds)]
    return [names for names in espeak.phoneme_names([(text, voice) for text in own]) if names]


def _is_own(ipa: str) -> bool:
    return bool(phonemes.segments(ipa)) and not phonemes.OTHER_VOICE.search(ipa)
