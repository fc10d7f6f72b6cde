"""Speech that is none of the targets."""

from __future__ import annotations

import pytest

from tinyml_cli.speech import espeak, languages, other_speech, vocabulary
from tinyml_cli.speech.pronunciation import Pronunciation

pytestmark = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")


def distances(texts: list[str], words: list[str]) -> dict[str, float]:
    return other_speech._distances(texts, words, languages.find("en"), Pronunciation())


def test_a_block_is_the_same_for_everybody() -> None:
    first = other_speech.plan(2, with_flite=False)
    assert first == other_speech.plan(2, with_flite=False)
    assert first != other_speech.plan(3, with_flite=False)
    assert len(first) == other_speech.BLOCK
    texts = ["now", "know", "note", "nobody came", "hot note", "seven old", "yesterday", "kitchen"]
    assert set(distances(texts, ["no", "yes"])) == {"now", "kitchen"}


def test_words_that_sound_alike_are_near() -> None:
    found = distances(["go", "guess", "kitchen", "eight hundred"], ["no", "yes"])
    assert max(found["go"], found["guess"]) < 0.5 < found["kitchen"]
    assert found["eight hundred"] > 0.5


@pytest.mark.parametrize(
    ("value", "said"),
    [(7, "seven"), (12, "twelve"), (20, "twenty"), (345, "three hundred forty five"), (900, "nine hundred")],
)
def test_numbers_are_read_out(value: int, said: str) -> None:
    assert other_speech._number(value) == said


@pytest.mark.parametrize(
    ("text", "code", "invented"),
    [
        ("klexoust", "en", True),
        ("kitchen", "en", False),
        ("three hundred forty five", "en", False),
        ("345", "de", False),
        ("klexoust", "de", True),
        ("klexoust", "eo", False),  # no words of it are known, so invented ones stand for them
    ],
)
def test_invented_words_are_known_where_the_language_has_a_list(text: str, code: str, invented: bool) -> None:
    assert bool(vocabulary.words_of("eo")) is False
    assert other_speech._is_invented(text, languages.find(code)) is invented
