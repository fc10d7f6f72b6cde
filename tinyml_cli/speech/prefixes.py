"""Words that are the beginning of another one: "no" is complete before "nora" is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinyml_cli.speech import espeak
from tinyml_cli.speech.phonemes import segments


def longer_words(words: Sequence[str]) -> dict[str, list[str]]:
    """word -> the others that begin with it, in letters or, where espeak-ng is installed, in sounds."""
    spoken: Mapping[str, str] = {}
    if espeak.is_installed():
        spoken = dict(zip(words, map(segments, espeak.pronounce(words)), strict=True))
    found = {word: [other for other in words if _begins(word, other, spoken)] for word in words}
    return {word: others for word, others in found.items() if others}


def _begins(word: str, longer: str, spoken: Mapping[str, str]) -> bool:
    forms = [(_letters(word), _letters(longer))]
    if spoken:
        forms.append((spoken[word], spoken[longer]))
    return word != longer and any(start and end != start and end.startswith(start) for start, end in forms)


def _letters(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
