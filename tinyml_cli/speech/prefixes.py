"""Words that are the beginning of another one: "no" is complete before "nora" is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinyml_cli.speech import espeak, reading
from tinyml_cli.speech.pronunciation import Pronunciation


def longer_words(words: Sequence[str], how: Pronunciation | None = None) -> dict[str, list[str]]:
    """word -> the others that begin with it, in letters or, where espeak-ng is installed, in sounds.

    Args:
        words: the targets.
        how: who reads them; English voices by default.
    """
    how = how or Pronunciation()
    spoken: list[Mapping[str, str]] = []
    if espeak.is_installed():
        for language in how.spoken:
            sounds = reading.target_sounds(words, language, how)
            spoken.append(dict(zip(words, sounds, strict=True)))
    found = {word: [other for other in words if _begins(word, other, spoken)] for word in words}
    return {word: others for word, others in found.items() if others}


def _begins(word: str, longer: str, spoken: Sequence[Mapping[str, str]]) -> bool:
    forms = [(_letters(word), _letters(longer)), *((sounds[word], sounds[longer]) for sounds in spoken)]
    return word != longer and any(start and end != start and end.startswith(start) for start, end in forms)


def _letters(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
