"""What to do about a word that no voice can say: the error, and the languages that the word may be of."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.speech import languages, scripts, vocabulary
from tinyml_cli.speech.pronunciation import PRONOUNCE, Pronunciation

# Where letters leave several languages, those with more speakers are named first: the last of these.
_LIKELY = ("sv", "nl", "tr", "pl", "it", "de", "pt", "fr", "es")


def refusal(
    word: str, reasons: Sequence[str], pronunciation: Pronunciation, among_others: bool
) -> TinymlError:
    """What to do about a word that no voice says.

    Args:
        word: as it was typed.
        reasons: why not, of each language.
        pronunciation: who was to say it.
        among_others: whether there are other words, which may be of the chosen languages.
    """
    spelt = f" as `{pronunciation.spellings[word]}`" if word in pronunciation.spellings else ""
    hint = _other_languages(word, pronunciation, among_others)
    record = next_step("data", "record", "words", "--words", word, "--speaker", "NAME")
    return TinymlError(
        f"No synthetic voice can pronounce `{word}`{spelt}: {'; '.join(dict.fromkeys(reasons))}",
        "--words",
        f"{hint}Spell it as it sounds in {pronunciation.shown}, "
        f'{PRONOUNCE} "{word}=SPELLING", or give recordings of it with --data DIR ({record}); '
        "write abbreviations that are spelt out in capitals.",
    )


def _other_languages(word: str, pronunciation: Pronunciation, among_others: bool) -> str:
    """A hint at the languages that a word may be of."""
    found = [code for code in _languages_of(word) if code not in pronunciation.codes]
    own = set().union(*(scripts.of_language(language.code) for language in pronunciation.spoken))
    script = next(iter(scripts.of_word(word)), "")
    # Letters of the chosen languages are no hint; Latin ones beyond ASCII are.
    if not found or (script in own and (script != scripts.LATIN or found == [languages.ENGLISH])):
        return ""
    others = f" (or {', '.join(found[1:6])}{' …' if len(found) > 6 else ''})" if found[1:] else ""
    kept = pronunciation.codes if among_others else ()
    return f"Name its language: {languages.OPTION} {','.join((*kept, found[0]))}{others}. "


def _languages_of(word: str) -> list[str]:
    """Languages whose letters a word has, the most likely first; none where they would be too many."""
    letters = {c for c in unicodedata.normalize("NFC", word).lower() if c.isalpha()}
    if not letters:
        return []
    if all(map(str.isascii, letters)):
        return [languages.ENGLISH]
    script, *more = scripts.of_word(word)
    if more:
        return []
    if script == scripts.LATIN:
        found = vocabulary.languages_with("".join(letters))
    else:
        found = [code for code in languages.catalogue() if script in scripts.of_language(code)]
    usual = [*_LIKELY, scripts.default_language(script)]
    return sorted(
        (code for code in found if "-" not in code),
        key=lambda code: (word not in vocabulary.words_of(code), -usual.index(code) if code in usual else 1),
    )
