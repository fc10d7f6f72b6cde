"""The languages that the voices speak: those of espeak-ng's data, by their codes."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, scripts
from tinyml_cli.wording import counted

ENGLISH = "en"
OPTION = "--language"
# Codes by which people ask for a language that has another one in the data.
_ALIASES = {"zh": "cmn", "zh-cn": "cmn", "no": "nb", "jp": "ja", "iw": "he", "zh-yue": "yue", "zh-hk": "yue"}
# Accents that share their code with the language: their voice alone.
_ACCENTS = {
    "es-es": "es",
    "fr-fr": "fr",
    "pt-pt": "pt",
    "en-gb": "en",
    "ca-es": "ca",
    "vi-vn-x-north": "vi",
    "ru-ru": "ru",
}
# Languages that espeak-ng misreads, and how.
POOR = {"th": "reads a vowel that is written before its consonant first, and leaves some out"}
# Shorter than in the data, or told apart there in brackets alone.
_NAMES = {
    "cmn": "Mandarin Chinese",
    "yue": "Cantonese",
    "hak": "Hakka Chinese",
    "hyw": "Western Armenian",
    "chr": "Cherokee",
    "grc": "Ancient Greek",
}
# Not accents: the same voice for another way of writing, such as `fa-Latn`, and a test of the data's authors.
_OTHER_SCRIPT = re.compile(r"-[a-z]{4}(-|$)")


@dataclass(frozen=True)
class Language:
    """A language or one of its accents.

    Attributes:
        code: such as `de`, or `pt-br` for one accent.
        name: in English.
        voices: espeak-ng's, one for each accent; the first is asked how words are read.
    """

    code: str
    name: str
    voices: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


@functools.cache
def catalogue() -> Mapping[str, Language]:
    """Code -> language, for every language with voices that speak, and for every accent.

    Raises:
        TinymlError: espeak-ng is not installed.
    """
    voices = _voices()
    found = {code: Language(code, name, (code,)) for code, name in voices.items()}
    for code in sorted({code.partition("-")[0] for code in voices}):
        accents = [other for other in voices if other.partition("-")[0] == code]
        usual = [accent for accent in accents if not _OTHER_SCRIPT.search(accent)]
        name = _NAMES.get(code) or voices.get(code, voices[accents[0]]).partition(" (")[0]
        found[code] = Language(code, name, tuple(sorted(usual, key=lambda accent: (accent != code, accent))))
    found.update({code: Language(code, voices[voice], (voice,)) for code, voice in _ACCENTS.items()})
    found[ENGLISH] = Language(ENGLISH, "English", espeak.ACCENTS)
    return dict(sorted(found.items()))


def find(code: str, where: str = OPTION) -> Language:
    """The language of a code.

    Raises:
        TinymlError: no such language, or one without voices.
    """
    known = catalogue()
    wanted = code.strip().lower().replace("_", "-")
    wanted = _ALIASES.get(wanted, wanted)
    if wanted in known:
        return known[wanted]
    if name := _without_dictionary().get(wanted):
        raise TinymlError(
            f"No voice speaks {name} ({wanted}): espeak-ng's package lacks its dictionary",
            where,
            "Give recordings with --data DIR, or choose a related language.",
        )
    raise TinymlError(f"Unknown language `{code}`", where, _suggestion(wanted, known))


def default(words: Sequence[str]) -> tuple[list[str], str]:
    """The languages of words for which none was chosen, and why.

    Raises:
        TinymlError: the words are of several scripts.
    """
    found = {script: word for word in words for script in scripts.of_word(word)}
    guesses = {scripts.default_language(script): script for script in found}
    if {"CJK", "HIRAGANA"} <= set(found) or {"CJK", "KATAKANA"} <= set(found):
        guesses.pop(scripts.default_language("CJK"))
    if len(guesses) > 1:
        listed = ", ".join(f"`{word}` in {scripts.shown(script)}" for script, word in found.items())
        raise TinymlError(
            f"The words are written in several scripts: {listed}",
            "--words",
            f"Name the languages: {OPTION} {','.join(guesses)}",
        )
    for code, script in guesses.items():
        if code != ENGLISH:
            return [code], f"from the words' script, {scripts.shown(script)}"
    return [ENGLISH], "the default"


@functools.cache
def _voices() -> dict[str, str]:
    """Code of each voice that speaks -> its name in English."""
    silent = _without_dictionary()
    return {code: name for code, (name, _) in _described().items() if code not in silent}


@functools.cache
def _without_dictionary() -> dict[str, str]:
    folder = espeak.data_folder()
    return {
        code: name
        for code, (name, dictionary) in _described().items()
        if not (folder / f"{dictionary}_dict").is_file()
    }


def _described() -> dict[str, tuple[str, str]]:
    """Code of each voice -> its name and its dictionary, from the files of the data."""
    files = (path for path in (espeak.data_folder() / "lang").rglob("*") if path.is_file())
    return {path.name.lower(): _describe(path) for path in sorted(files)}


def _describe(path: Path) -> tuple[str, str]:
    entries: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition("//")[0].strip().partition(" ")
        entries.setdefault(key, value.strip())
    own = entries.get("language", path.name).split()[0].partition("-")[0]
    return entries.get("name", path.name), entries.get("dictionary", own)


def _suggestion(wanted: str, known: Mapping[str, Language]) -> str:
    by_name = {known[code].name.lower(): code for code in sorted(known, reverse=True)}
    for near in difflib.get_close_matches(wanted, [*by_name, *known], 1, 0.75):
        code = by_name.get(near, near)
        return f"Did you mean {OPTION} {code} ({known[code].name})?"
    if (main := wanted.partition("-")[0]) in known:
        return f"No voice has this accent; {OPTION} {main} speaks {known[main].name}."
    codes = [code for code in known if "-" not in code]
    return f"Give one of the codes of {counted(len(codes), 'language')}: {', '.join(codes)}."
