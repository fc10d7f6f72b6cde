"""Scripts of writing: which one a character belongs to, and which languages are written in it."""

from __future__ import annotations

import functools
import unicodedata

from tinyml_cli.user_text import JOINERS

LATIN = "LATIN"
# The first language of a script is the one meant where nobody says which.
_LANGUAGES = {
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "CJK": ("cmn", "yue", "hak", "ja", "ko"),
    "HANGUL": ("ko",),
    "CYRILLIC": ("ru", "uk", "be", "bg", "mk", "sr", "bs", "kk", "ky", "tt", "ba", "cv", "nog"),
    "GREEK": ("el", "grc"),
    "HEBREW": ("he",),
    "ARABIC": ("ar", "fa", "ur", "sd", "ug"),
    "DEVANAGARI": ("hi", "mr", "ne", "kok"),
    "BENGALI": ("bn", "as", "bpy"),
    "GURMUKHI": ("pa",),
    "GUJARATI": ("gu",),
    "ORIYA": ("or",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "SINHALA": ("si",),
    "THAI": ("th",),
    "MYANMAR": ("my", "shn"),
    "GEORGIAN": ("ka",),
    "ARMENIAN": ("hy", "hyw"),
    "ETHIOPIC": ("am", "ti"),
    "CHEROKEE": ("chr",),
    "SHAVIAN": ("en-shaw",),
}
# Written in Latin letters too, or in these by espeak-ng's data.
_ALSO_LATIN = frozenset({"sr", "bs", "hak", "piqd"})
# Voices for another way of writing their language.
_OTHER_VOICES = {"fa-latn": LATIN, "cmn-latn-pinyin": LATIN, "yue-latn-jyutping": LATIN, "en-shaw": "SHAVIAN"}
# Whose letters have names: "be" for b. The signs of others are named as they sound.
ALPHABETS = frozenset({LATIN, "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "GEORGIAN", "ARMENIAN"})
# First parts of Unicode's names that stand for Latin letters or marks on them.
_OF_LATIN = (LATIN, "COMBINING", "MODIFIER", "MICRO", "SUPERSCRIPT", "SUBSCRIPT", "VULGAR")
WIDTHS = ("FULLWIDTH", "HALFWIDTH", "EXTENDED")


@functools.cache
def of_character(character: str) -> str:
    """The script of a letter, mark or digit, as Unicode's names begin; "" for ASCII digits and signs."""
    if character.isascii():
        return LATIN if character.isalpha() else ""
    if character in JOINERS:
        return ""
    name = unicodedata.name(character, "UNKNOWN SCRIPT")
    for script in _LANGUAGES:
        if script in name.replace("-", " ").split():
            return script
    first = next((part for part in name.split() if part not in WIDTHS), name)
    return LATIN if first in _OF_LATIN else first


def of_word(word: str) -> list[str]:
    """The scripts of a word's letters, in their order."""
    letters = [c for c in unicodedata.normalize("NFC", word) if c.isalpha()]
    return list(dict.fromkeys(filter(None, map(of_character, letters))))


def of_language(code: str) -> frozenset[str]:
    """The scripts that a language or accent is written in."""
    if code in _OTHER_VOICES:
        return frozenset({_OTHER_VOICES[code]})
    main = code.partition("-")[0]
    found = {script for script, languages in _LANGUAGES.items() if main in languages}
    return frozenset(found | ({LATIN} if not found or main in _ALSO_LATIN else set()))


def default_language(script: str) -> str:
    """The language meant by a script; English where there is none."""
    return _LANGUAGES.get(script, ("en",))[0]


def shown(script: str) -> str:
    """A script's name for people."""
    return {"CJK": "Chinese characters"}.get(script, script.title())
