"""Who is to speak words: languages, and spellings of words that their voices would misread."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import languages, scripts
from tinyml_cli.speech.languages import Language
from tinyml_cli.user_text import is_spoken, visible

PRONOUNCE = "--pronounce"
_LONGEST_SPELLING = 100
# espeak-ng's names of phonemes are of printable ASCII.
_SOUND_NAMES = re.compile(r"\[\[([ !-Z^-~]+)\]\]")


@dataclass(frozen=True)
class Pronunciation:
    """In which languages words are spoken, and how those are spelt that the voices would misread.

    Attributes:
        languages: codes, as they were given.
        spellings: word -> what the voices are given instead, after the code of a language and a colon where
            its voices alone are to say it. Latin letters are sounds to the voices of a language that is not
            written in them, as espeak-ng's own names in [[double brackets]] are to all.
    """

    languages: tuple[str, ...] = (languages.ENGLISH,)
    spellings: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def spoken(self) -> tuple[Language, ...]:
        """The languages.

        Raises:
            TinymlError: espeak-ng is missing, an unknown language, one without voices or one given twice.
        """
        found = [languages.find(code) for code in self.languages]
        for first, second in combinations(found, 2):
            if first == second:
                raise TinymlError(f"{first} is listed twice", languages.OPTION, "List each language once.")
        return tuple(found)

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages' own codes: `cmn` for `zh`."""
        return tuple(language.code for language in self.spoken)

    @property
    def shown(self) -> str:
        """The languages for people: "German (de) and French (fr)"."""
        return " and ".join(map(str, self.spoken))

    def check(self, words: Sequence[str]) -> None:
        """Refuses languages that nobody speaks, and spellings of words that are not among the targets.

        Raises:
            TinymlError: see above; a spelling that is empty or of a language that is not chosen.
        """
        codes = self.codes
        for word, spelling in self.spellings.items():
            if word not in words:
                raise TinymlError(
                    f"`{word}` is not one of the words", PRONOUNCE, f"The words are: {', '.join(words)}."
                )
            code, text = _parts(spelling)
            if code and languages.find(code, PRONOUNCE).code not in codes:
                raise TinymlError(
                    f"`{word}` is to be said in {languages.find(code)}, which is not chosen",
                    PRONOUNCE,
                    f"Add it: {languages.OPTION} {','.join([*codes, code])}",
                )
            if not text:
                raise TinymlError(
                    f"`{word}` has an empty pronunciation",
                    PRONOUNCE,
                    f'For example: {PRONOUNCE} "{word}=hai"',
                )
            if not _is_spelling(text):
                raise TinymlError(
                    f"The pronunciation of `{word}`, `{visible(text)}`, is not a spelling",
                    PRONOUNCE,
                    "Use letters and digits, with spaces, hyphens or apostrophes inside, or espeak-ng's own "
                    f"names of sounds in double brackets, [[h'aI]]; at most {_LONGEST_SPELLING} characters.",
                )

    def text(self, word: str, language: Language) -> str:
        """What a language's voices are given to say a word."""
        if word not in self.spellings:
            return unicodedata.normalize("NFC", word)
        text = unicodedata.normalize("NFC", _parts(self.spellings[word])[1])
        foreign = scripts.of_word(text) == [scripts.LATIN] and scripts.LATIN not in scripts.of_language(
            language.code
        )
        return f"[[{text}]]" if foreign and not text.startswith("[[") and _has_letter(text) else text

    def says(self, word: str, language: Language) -> bool:
        """Whether a language's voices are wanted for a word."""
        code, _ = _parts(self.spellings.get(word, word))
        return not code or languages.find(code, PRONOUNCE) == language


def chosen(
    words: Sequence[str], codes: Sequence[str] | None, spellings: Mapping[str, str] | None = None
) -> Pronunciation:
    """Who speaks the words: voices of the chosen languages, or of those that the words' script stands for.

    Args:
        words: the targets.
        codes: of languages; None goes by the script.
        spellings: see `Pronunciation`.

    Raises:
        TinymlError: no language is chosen and the words are of several scripts.
    """
    return Pronunciation(tuple(codes or languages.default(words)[0]), spellings or {})


def tell_default(words: Sequence[str], codes: Sequence[str] | None) -> None:
    """Says which language is taken, and why, where none was chosen."""
    if not codes:
        found, why = languages.default(words)
        shown = " and ".join(str(languages.find(code)) for code in found)
        console.info(f"Language: {shown}, {why}; {languages.OPTION} chooses another.")


def spellings(given: Sequence[str] | None) -> dict[str, str] | None:
    """`WORD=SPELLING` of the command line by word; None stays None.

    Raises:
        TinymlError: an entry without a word, an equals sign or a spelling, or a word given twice.
    """
    if given is None:
        return None
    found: dict[str, str] = {}
    for entry in given:
        word, equals, spelling = (part.strip() for part in entry.partition("="))
        if not (word and equals and spelling):
            raise TinymlError(
                f"`{entry}` is not a word and its pronunciation",
                PRONOUNCE,
                f'For example: {PRONOUNCE} "はい=hai"',
            )
        if word in found:
            raise TinymlError(f"`{word}` has two pronunciations", PRONOUNCE, "Give one for each word.")
        found[word] = spelling
    return found


def _parts(spelling: str) -> tuple[str, str]:
    """The code of a language, empty where there is none, and the text of `LANG:TEXT`."""
    code, colon, text = spelling.partition(":")
    if colon and not spelling.startswith("[[") and code.replace("-", "").isalnum() and code.isascii():
        return code.strip(), text.strip()
    return "", spelling.strip()


def _is_spelling(text: str) -> bool:
    """Whether voices would read a text as sounds: espeak-ng obeys markup in it."""
    if len(text) > _LONGEST_SPELLING:
        return False
    if sounds := _SOUND_NAMES.fullmatch(text):
        return any(map(str.isalpha, sounds[1]))
    return is_spoken(text) and any(map(str.isalnum, text))


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text)
