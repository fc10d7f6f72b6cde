"""Which words an English voice can say: it spells out or mispronounces words without English spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby

from tinyml_cli.data.phonemes import segments
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step

# Everybody says the letters of these.
_SPELT_BY_PEOPLE = ("ok", "tv")


def why_not(word: str, ipa: str, letters: Mapping[str, str]) -> str:
    """Why the voice would not say a word as it is meant; empty where it would.

    Args:
        word: as written.
        ipa: what the voice makes of it.
        letters: letter of the word -> what the voice makes of it alone.
    """
    strange = next((c for c in word if not c.isascii()), "")
    if strange:
        script = unicodedata.name(strange, "an unknown script").split()[0]
        if script != "LATIN":
            return f"it is written in {script.title()}, which the English voices spell out or skip"
        return f"`{strange}` is not an English letter, so the English voices misread it"
    spelt = [c for c in word.lower() if c.isalpha()]
    if len(spelt) < 2 or word.isupper() or word.lower() in _SPELT_BY_PEOPLE:
        return ""
    if _sounds(ipa) == _sounds("".join(letters[c] for c in spelt)):
        return f"the voices spell it out, letter by letter ({ipa})"
    return ""


def _sounds(ipa: str) -> str:
    """Segments, a sound that joins two letters counted once: "brr" is bˌiːˌɑːɹɹˈɑːɹ."""
    return "".join(sound for sound, _ in groupby(segments(ipa)))


def letters_of(words: Sequence[str]) -> list[str]:
    """The ASCII letters in some words, sorted: what `why_not` has to know the names of."""
    return sorted({c for word in words for c in word.lower() if c.isascii() and c.isalpha()})


def refusal(word: str, why: str) -> TinymlError:
    """What to do about a word that no voice says."""
    return TinymlError(
        f"No synthetic voice can pronounce `{word}`: {why}",
        "--words",
        "Give recordings of it with --data DIR "
        f"({next_step('data', 'record', '--words', word, '--speaker', 'NAME')}), "
        "or spell it as it sounds in English; write abbreviations that are spelt out in capitals.",
    )
