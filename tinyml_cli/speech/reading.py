"""How voices read words: asked before anything is spoken, so that a misreading is named early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, languages, phonemes, sayable, unsayable, vocabulary
from tinyml_cli.speech.languages import Language
from tinyml_cli.speech.pronunciation import PRONOUNCE, Pronunciation, chosen


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

    @property
    def heard(self) -> str:
        """The sounds between slashes, for people."""
        return f"/{phonemes.OTHER_VOICE.sub('', self.ipa)}/"


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
            raise unsayable.refusal(
                word, [reading.why_not for reading in of_word], pronunciation, len(words) > 1
            )
    if alike := _alike(said):
        if not skip_unsayable:
            raise alike
        console.warn(f"{alike.what}: no model can tell them apart.")
    return said


def tell(said: Mapping[str, Sequence[SpokenAs]]) -> None:
    """Says how the words are read, language by language, and warns of those that differ little."""
    readings = [reading for of_word in said.values() for reading in of_word]
    for language in dict.fromkeys(reading.language for reading in readings):
        listed = ", ".join(f"{r.word} {r.heard}" for r in readings if r.language == language)
        console.info(f"The synthetic voices read words as {language.name}: {listed}.")
        if how := languages.POOR.get(language.code):
            console.warn(f"espeak-ng's {language.name} {how}: check the sounds, or record the words.")
    if shared := next((of_word for of_word in said.values() if len(of_word) > 1), None):
        word, code = shared[0].word, shared[0].language.code
        console.info(f'To leave a word to one language: {PRONOUNCE} "{word}={code}:{word}".')
    _warn_of_near_ones(said)


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
        word: " or ".join(f"{r.heard} in {r.language.name}" for r in of_word)
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
    return [phonemes.coded(names) for names in espeak.phoneme_names([(t, language.voices[0]) for t in texts])]


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


def _alike(said: Mapping[str, Sequence[SpokenAs]]) -> TinymlError | None:
    sounds_of = _sounds_by(said, lambda language: language.voices[:1])
    for first, second in _pairs(said):
        same = first.language == second.language
        if same:
            equal = sounds_of[first.language.voices[0], first] == sounds_of[first.language.voices[0], second]
        else:
            equal = phonemes.bare(first.ipa) == phonemes.bare(second.ipa)
        if equal:
            where = first.language.name if same else f"{first.language.name} and {second.language.name}"
            return TinymlError(
                f"`{first.word}` and `{second.word}` sound alike in {where}: {first.heard}, {second.heard}",
                "--words",
                f'Drop one of them, or correct how one is read: {PRONOUNCE} "{second.word}=SPELLING".',
            )
    return None


def _warn_of_near_ones(said: Mapping[str, Sequence[SpokenAs]]) -> None:
    """Warns of words that differ little, or not at all in some accent."""
    sounds_of = _sounds_by(said, lambda language: language.voices[1:])
    for first, second in _pairs(said):
        if first.language != second.language:
            continue
        both = f"`{first.word}` and `{second.word}`"
        folded = first.language.code == languages.ENGLISH
        if phonemes.segments(first.ipa, folded) == phonemes.segments(second.ipa, folded):
            console.warn(f"{both} differ little in {first.language.name}: {first.heard}, {second.heard}.")
            continue
        accents = first.language.voices[1:]
        if alike := [voice for voice in accents if sounds_of[voice, first] == sounds_of[voice, second]]:
            names = ", ".join(languages.find(voice).name for voice in alike)
            console.warn(f"{both} sound alike in {names}; {languages.OPTION} can name one accent.")


def _pairs(said: Mapping[str, Sequence[SpokenAs]]) -> Iterator[tuple[SpokenAs, SpokenAs]]:
    """Every two readings of different words."""
    for one, other in combinations(said.values(), 2):
        yield from product(one, other)


def _sounds_by(
    said: Mapping[str, Sequence[SpokenAs]], voices: Callable[[Language], Sequence[str]]
) -> dict[tuple[str, SpokenAs], str]:
    """(voice, reading) -> its phonemes, tones among them, which are lost in IPA; none for a single word."""
    readings = [reading for of_word in said.values() for reading in of_word if len(said) > 1]
    asked = [(voice, reading) for reading in readings for voice in voices(reading.language)]
    names = espeak.phoneme_names([(reading.text, voice) for voice, reading in asked]) if asked else []
    return dict(zip(asked, map(phonemes.coded, names), strict=True))
