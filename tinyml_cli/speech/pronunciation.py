"""How the voices of the chosen languages read words: asked before anything is spoken."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.speech import espeak, languages, phonemes, sayable, scripts, vocabulary
from tinyml_cli.speech.languages import Language

PRONOUNCE = "--pronounce"


@dataclass(frozen=True)
class Pronunciation:
    """In which languages words are spoken, and how those are spelt that the voices would misread.

    Attributes:
        languages: codes.
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
    def is_english(self) -> bool:
        """Whether English voices alone speak."""
        return tuple(self.languages) == (languages.ENGLISH,)

    @property
    def shown(self) -> str:
        """The languages for people: "German (de) and French (fr)"."""
        return " and ".join(map(str, self.spoken))

    def check(self, words: Sequence[str]) -> None:
        """Refuses languages that nobody speaks, and spellings of words that are not among the targets.

        Raises:
            TinymlError: see above; a spelling that is empty or of a language that is not chosen.
        """
        codes = {language.code for language in self.spoken}
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
                    f"Add it: {languages.OPTION} {','.join([*self.languages, code])}",
                )
            if not text:
                raise TinymlError(
                    f"`{word}` has an empty pronunciation",
                    PRONOUNCE,
                    f'For example: {PRONOUNCE} "{word}=hai"',
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


@dataclass(frozen=True)
class SpokenAs:
    """What the voices of a language make of a word.

    Attributes:
        word: as it was typed.
        language: whose voices.
        text: what they are given.
        ipa: what is heard.
        why_not: why that is not the word; empty where it is.
    """

    word: str
    language: Language
    text: str
    ipa: str
    why_not: str = ""


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


def read(
    words: Sequence[str], pronunciation: Pronunciation, skip_unsayable: bool = False
) -> dict[str, list[SpokenAs]]:
    """Word -> how it is read in each language whose voices can say it.

    A word that is in the vocabulary of some of the languages is left to those.

    Args:
        words: the targets.
        pronunciation: who reads.
        skip_unsayable: leave out words that no voice can say, with a warning, not refuse them.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing; an unusable pronunciation; a word that no voice
            would say as it is meant, or two words that sound alike.
    """
    pronunciation.check(words)
    every = [
        reading for language in pronunciation.spoken for reading in _read(words, language, pronunciation)
    ]
    said: dict[str, list[SpokenAs]] = {}
    for word in words:
        of_word = [reading for reading in every if reading.word == word]
        if good := [reading for reading in of_word if not reading.why_not]:
            usual = [r for r in good if word.lower() in map(str.lower, vocabulary.words_of(r.language.code))]
            said[word] = usual or good
        elif skip_unsayable:
            console.warn(f"Synthetic voices cannot pronounce `{word}`: {of_word[0].why_not}.")
        else:
            raise _refusal(word, of_word, pronunciation)
    if alike := _alike(said):
        if not skip_unsayable:
            raise alike
        console.warn(f"{alike.what}: no model can tell them apart.")
    return said


def tell(said: Mapping[str, Sequence[SpokenAs]]) -> None:
    """Says how the words are read, language by language."""
    readings = [reading for of_word in said.values() for reading in of_word]
    for language in dict.fromkeys(reading.language for reading in readings):
        listed = ", ".join(f"{r.word} /{r.ipa}/" for r in readings if r.language == language)
        console.info(f"The synthetic voices read words as {language.name}: {listed}.")
    if shared := next((of_word for of_word in said.values() if len(of_word) > 1), None):
        word, code = shared[0].word, shared[0].language.code
        console.info(f'To leave a word to one language: {PRONOUNCE} "{word}={code}:{word}".')


def hints(words: Sequence[str], codes: Sequence[str] | None) -> dict[str, str]:
    """Word -> how it is said, for people who read it aloud: "/nˈaɪn/ in German"; none without languages.

    Raises:
        TinymlError: espeak-ng is missing, or an unknown language.
    """
    if not codes:
        return {}
    how = chosen(words, codes)
    every = [reading for language in how.spoken for reading in _read(words, language, how)]
    said = {word: [r for r in every if r.word == word and not r.why_not] for word in words}
    return {
        word: " or ".join(f"/{r.ipa}/ in {r.language.name}" for r in of_word)
        for word, of_word in said.items()
        if of_word
    }


def sounds(texts: Sequence[str], language: Language) -> list[str]:
    """The sounds of texts in a language, a character for each, to be compared with others of this language.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing.
    """
    if language.code == languages.ENGLISH:
        return [phonemes.segments(ipa) for ipa in espeak.pronounce(texts)]
    return [phonemes.coded(names) for names in espeak.phoneme_names(texts, language.voices[0])]


def target_sounds(words: Sequence[str], language: Language, pronunciation: Pronunciation) -> list[str]:
    """The sounds of the targets as the language's voices read them, whether or not they will say them."""
    return sounds([pronunciation.text(word, language) for word in words], language)


def foreign_sounds(said: Mapping[str, Sequence[SpokenAs]], language: Language) -> set[str]:
    """The IPA of targets that the voices of other languages say, without accents' differences."""
    readings = (reading for of_word in said.values() for reading in of_word)
    return {phonemes.segments(reading.ipa) for reading in readings if reading.language != language}


def _read(words: Sequence[str], language: Language, pronunciation: Pronunciation) -> Iterable[SpokenAs]:
    mine = [word for word in words if pronunciation.says(word, language)]
    texts = [pronunciation.text(word, language) for word in mine]
    letters = sayable.letters_of(texts)
    spoken = espeak.pronounce([*texts, *letters], language.voices[0])
    names = dict(zip(letters, spoken[len(texts) :], strict=True))
    for word, text, ipa in zip(mine, texts, spoken, strict=False):
        yield SpokenAs(word, language, text, ipa, sayable.why_not(text, ipa, names, language))


def _refusal(word: str, readings: Sequence[SpokenAs], pronunciation: Pronunciation) -> TinymlError:
    reasons = dict.fromkeys(reading.why_not for reading in readings)
    record = next_step("data", "record", "words", "--words", word, "--speaker", "NAME")
    return TinymlError(
        f"No synthetic voice can pronounce `{word}`: {'; '.join(reasons)}",
        "--words",
        f"{_other_languages(word, pronunciation)}Spell it as it sounds in {pronunciation.shown}, "
        f'{PRONOUNCE} "{word}=SPELLING", or give recordings of it with --data DIR ({record}); '
        "write abbreviations that are spelt out in capitals.",
    )


def _other_languages(word: str, pronunciation: Pronunciation) -> str:
    """A hint at the languages that a word may be of."""
    (script, *more) = scripts.of_word(word)
    own = set().union(*(scripts.of_language(language.code) for language in pronunciation.spoken))
    if more or (script in own and script != scripts.LATIN):
        return ""
    if script == scripts.LATIN:
        letters = {c for c in unicodedata.normalize("NFC", word).lower() if c.isalpha()}
        found = vocabulary.languages_with("".join(letters)) if not all(map(str.isascii, letters)) else []
    else:
        found = [code for code in languages.catalogue() if script in scripts.of_language(code)]
        found.sort(key=lambda code: code != scripts.default_language(script))
    found = [code for code in found if code not in pronunciation.languages and "-" not in code]
    if not found:
        return ""
    others = f" (or {', '.join(found[1:6])}{' …' if len(found) > 6 else ''})" if found[1:] else ""
    return f"Name its language: {languages.OPTION} {found[0]}{others}. "


def _alike(said: Mapping[str, Sequence[SpokenAs]]) -> TinymlError | None:
    readings = [reading for of_word in said.values() for reading in of_word]
    exact = _exact_sounds(readings)
    for first, second in combinations(readings, 2):
        same = first.language == second.language
        heard = [exact[r] if same else phonemes.bare(r.ipa) for r in (first, second)]
        if first.word != second.word and heard[0] == heard[1]:
            where = first.language.name if same else f"{first.language.name} and {second.language.name}"
            return TinymlError(
                f"`{first.word}` and `{second.word}` sound alike in {where}: /{first.ipa}/, /{second.ipa}/",
                "--words",
                f'Drop one of them, or correct how one is read: {PRONOUNCE} "{second.word}=SPELLING".',
            )
    return None


def _exact_sounds(readings: Sequence[SpokenAs]) -> dict[SpokenAs, str]:
    found: dict[SpokenAs, str] = {}
    for language in dict.fromkeys(reading.language for reading in readings):
        mine = [reading for reading in readings if reading.language == language]
        if language.code == languages.ENGLISH:
            found.update({reading: phonemes.bare(reading.ipa) for reading in mine})
        else:
            found.update(zip(mine, sounds([reading.text for reading in mine], language), strict=True))
    return found


def _parts(spelling: str) -> tuple[str, str]:
    """The code of a language, empty where there is none, and the text of `LANG:TEXT`."""
    code, colon, text = spelling.partition(":")
    if colon and not spelling.startswith("[[") and code.replace("-", "").isalnum() and code.isascii():
        return code.strip(), text.strip()
    return "", spelling.strip()


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text)
