"""Which words a language's voices can say: they spell out or misread words that are not written in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby

from tinyml_cli.speech import scripts, vocabulary
from tinyml_cli.speech.languages import Language
from tinyml_cli.speech.phonemes import OTHER_VOICE, segments
from tinyml_cli.user_text import JOINERS

# Everybody says the letters of these.
_SPELT_BY_PEOPLE = ("ok", "tv", "mp3")
_LETTERS = re.compile(r"[^\W\d_]{2}")


def why_not(word: str, ipa: str, letters: Mapping[str, str], language: Language) -> str:
    """Why the voices would not say a word as it is meant; empty where they would.

    Args:
        word: as written.
        ipa: what the voice makes of it.
        letters: letter or digit of the word -> what the voice makes of it alone; see `letters_of`.
        language: of the voices.
    """
    if word.startswith("[["):
        return "" if segments(ipa) else f"espeak-ng finds no sounds in {word}"
    for character in unicodedata.normalize("NFC", word):
        if why := _why_strange(character, language):
            return why
    if not any(c.isalnum() for c in word):
        return "it has no letter or digit that the voices say"
    if not segments(ipa):
        return f"the {language.name} voices make nothing of it"
    if OTHER_VOICE.search(ipa) and scripts.LATIN not in scripts.of_word(word):
        return f"the {language.name} voices name its signs in another language ({ipa})"
    if people_spell(word):
        return ""
    spelt = [letters[c] for c in word.lower() if c in letters]
    # Where letters are called as they sound, as in Lojban, no name is longer than its letter.
    if _sounds(ipa) == _sounds("".join(spelt)) and len(_sounds(ipa)) > len(spelt):
        return f"the voices spell it out, letter by letter ({ipa})"
    return ""


def people_spell(word: str) -> bool:
    """Whether a word is meant to be said letter by letter: it says so in capitals, or is one like `3d`."""
    return not _LETTERS.search(word) or word.isupper() or word.lower() in _SPELT_BY_PEOPLE


def letters_of(words: Sequence[str]) -> list[str]:
    """The letters and digits in some words, sorted: what `why_not` has to know the names of."""
    return sorted({c for word in words for c in word.lower() if c.isalnum() and _is_named(c)})


def _is_named(character: str) -> bool:
    script = scripts.of_character(character)
    return character.isascii() or script in scripts.ALPHABETS


def _why_strange(character: str, language: Language) -> str:
    """What is wrong with a character, by its name in Unicode."""
    if character.isascii() and not character.isalpha():
        return ""
    written_in = scripts.of_language(language.code)
    if character in JOINERS and scripts.LATIN not in written_in:
        return ""
    name = unicodedata.name(character, "UNKNOWN SCRIPT")
    if not (character.isalpha() or unicodedata.category(character)[0] in "MN"):
        shown = f"`{character}`" if character.isprintable() else name.lower()
        return (
            f"{shown} is neither a letter nor a digit, so the {language.name} voices skip it or say its name"
        )
    script = scripts.of_character(character)
    if script not in written_in:
        shown = "Latin letters" if script == scripts.LATIN else _script_shown(name)
        return f"it is written in {shown}, which the {language.name} voices spell out or skip"
    letters = vocabulary.letters_of(language.code)
    # "İ" has two small characters: "i" and a dot.
    if letters and character.lower()[0] not in letters and character not in letters:
        return f"`{character}` is not a letter of {language.name}, so its voices misread it"
    return ""


def _script_shown(name: str) -> str:
    first = next(part for part in name.split() if part not in scripts.WIDTHS)
    return first if first == "CJK" else first.title()


def _sounds(ipa: str) -> str:
    """Segments, a sound that joins two letters counted once: "brr" is bˌiːˌɑːɹɹˈɑːɹ."""
    return "".join(sound for sound, _ in groupby(segments(ipa)))
