"""Words for the label "unknown", by language.

English ones were chosen to cover its sounds. Those of other languages are names and keywords of Unicode's
emoji (CLDR, see NOTICE): everyday words, collected in `vocabularies.tsv` by scripts/vocabularies.py.
"""

from __future__ import annotations

import functools
from pathlib import Path
from string import ascii_lowercase

_TEXT = """
yes no know now nose note nine none gnaw new low go so show row toe blow snow though mow hello hollow
yet yesterday yellow less guess mess press chess desk best west test rest yell yard year young
up down left right on off stop go start begin end open close play pause next back forward backward
follow learn turn move wait hold reset help cancel enter louder quiet light dark red green blue black white
zero one two three four five six seven eight ten eleven twelve hundred
bed bird cat dog house tree happy water window door table chair kitchen garden river mountain
apple bread butter coffee sugar orange lemon chicken dinner bottle paper pencil letter number
mother father sister brother baby people woman man boy girl friend doctor teacher
monday friday morning evening night summer winter today tomorrow always never maybe please thanks sorry
good bad big small hot cold fast slow high long short old early late
run walk talk look listen read write speak sleep eat drink sing wash drive buy sell give take make find
car bus train plane boat road street city school office market music picture video phone radio camera
lift loft laugh leaf lap cup cop cap dawn done don town drown brown right ride rate wrote write fright
top step shop stuff cough of often own own often under over home room lamp arm army
wow why who what where when which how here there this that these those with without from about
and but because then than very much many more most other another every only just
think thing thought bring strong spring voice noise choice join usual measure treasure visual
fish finger shoulder shadow pleasure judge jacket jump chair church kitchen yellow zebra zone busy easy
anna david peter susan victor laura oliver julia robin alice
"""

WORDS: tuple[str, ...] = tuple(dict.fromkeys(_TEXT.split()))

ENGLISH = "en"
FILE = Path(__file__).with_name("vocabularies.tsv")
_NUMBERS = tuple(str(number) for number in (*range(21), 30, 40, 50, 60, 70, 80, 90, 100, 1000))


def words_of(code: str) -> tuple[str, ...]:
    """Other words of a language, and numbers as digits, which its voices read out; none where none are known.

    Args:
        code: of the language, or of an accent, which has its language's words.
    """
    if _is_english(code):
        return WORDS
    _, words = _file().get(code.partition("-")[0], ("", ()))
    return (*words, *_NUMBERS) if words and not _is_other_script(code) else ()


def letters_of(code: str) -> str:
    """The small letters of a language; empty where they are not known or too many to list."""
    if _is_english(code):
        return ascii_lowercase
    return "" if _is_other_script(code) else _file().get(code.partition("-")[0], ("", ()))[0]


def languages_with(letters: str) -> list[str]:
    """Codes of the languages whose letters include all of these, sorted."""
    return sorted(code for code, (known, _) in _file().items() if known and set(letters) <= set(known))


def _is_english(code: str) -> bool:
    return code.partition("-")[0] == ENGLISH and code != "en-shaw"


def _is_other_script(code: str) -> bool:
    """Voices such as `fa-latn`, which read their language in other letters."""
    return any(len(part) == 4 for part in code.split("-")[1:])


@functools.cache
def _file() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Code -> letters and words."""
    found = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, letters, words = line.split("\t")
            found[code] = (letters, tuple(words.split()))
    return found
