"""Which words an English voice can say: it spells out or mispronounces words without English spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.speech.phonemes import segments

# Everybody says the letters of these.
_SPELT_BY_PEOPLE = ("ok", "tv", "mp3")
_LETTERS = re.compile(r"[A-Za-z]{2}")
# Parts of Unicode's names: forms of a letter that has another name, and marks on Latin letters.
_WIDTHS = ("FULLWIDTH", "HALFWIDTH")
_OF_LATIN = ("LATIN", "COMBINING", "MODIFIER", "MICRO", "SUPERSCRIPT", "SUBSCRIPT", "VULGAR")


def why_not(word: str, ipa: str, letters: Mapping[str, str]) -> str:
    """Why the voice would not say a word as it is meant; empty where it would.

    Args:
        word: as written.
        ipa: what the voice makes of it.
        letters: letter or digit of the word -> what the voice makes of it alone.
    """
    strange = next((c for c in unicodedata.normalize("NFC", word) if not c.isascii()), "")
    if strange:
        return _why_strange(strange)
    if not segments(ipa) or not any(c.isalnum() for c in word):
        return "it has no letter or digit that the voices say"
    if people_spell(word):
        return ""
    if _sounds(ipa) == _sounds("".join(letters[c] for c in word.lower() if c.isalnum())):
        return f"the voices spell it out, letter by letter ({ipa})"
    return ""


def people_spell(word: str) -> bool:
    """Whether a word is meant to be said letter by letter: it says so in capitals, or is one like `3d`."""
    return not _LETTERS.search(word) or word.isupper() or word.lower() in _SPELT_BY_PEOPLE


def _why_strange(character: str) -> str:
    """What is wrong with a character beyond ASCII, by its name in Unicode."""
    name = unicodedata.name(character, "UNKNOWN SCRIPT")
    if not (character.isalpha() or unicodedata.category(character)[0] in "MN"):
        shown = f"`{character}`" if character.isprintable() else name.lower()
        return f"{shown} is neither a letter nor a digit, so the English voices skip it or say its name"
    script = next(part for part in name.split() if part not in _WIDTHS)
    if script in _OF_LATIN:
        return f"`{character}` is not an English letter, so the English voices misread it"
    script = script if script == "CJK" else script.title()
    return f"it is written in {script}, which the English voices spell out or skip"


def _sounds(ipa: str) -> str:
    """Segments, a sound that joins two letters counted once: "brr" is bˌiːˌɑːɹɹˈɑːɹ."""
    return "".join(sound for sound, _ in groupby(segments(ipa)))


def letters_of(words: Sequence[str]) -> list[str]:
    """The ASCII letters and digits in some words, sorted: what `why_not` has to know the names of."""
    return sorted({c for word in words for c in word.lower() if c.isascii() and c.isalnum()})


def refusal(word: str, why: str) -> TinymlError:
    """What to do about a word that no voice says."""
    return TinymlError(
        f"No synthetic voice can pronounce `{word}`: {why}",
        "--words",
        "Give recordings of it with --data DIR "
        f"({next_step('data', 'record', 'words', '--words', word, '--speaker', 'NAME')}), "
        "or spell it as it sounds in English; write abbreviations that are spelt out in capitals.",
    )
