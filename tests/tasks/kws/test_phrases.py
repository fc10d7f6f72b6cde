"""Phrases of several words: a window that holds them, and their parts among the other words."""

from __future__ import annotations

import pytest

from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import espeak, languages, plan, reading
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.tasks.kws import phrases

pytestmark = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")


@pytest.mark.parametrize(
    ("recipe", "clip_ms"),
    [
        ({"words": ["alexa"]}, 1000),
        ({"words": ["hey marvin"]}, 1230),
        ({"words": ["hey marvin", "ok computer"]}, 1630),
        ({"words": ["ok computer"], "clip_ms": 1000}, 1000),
        ({"words": ["ok computer"], "data_path": "recordings"}, 1000),
        ({"words": ["an extraordinarily complicated sentence"]}, 2990),
        ({"words": ["hallo welt"], "synthesis": {"language": ["de"]}}, 1150),
    ],
)
def test_the_window_holds_the_longest_phrase(recipe: dict, clip_ms: int) -> None:
    settled = phrases.settled(KwsRecipe.model_validate(recipe))
    assert settled.clip_ms == clip_ms
    # A run's own recipe, read again, is not settled differently.
    assert phrases.settled(KwsRecipe.model_validate(settled.model_dump())) == settled


def test_parts_of_a_phrase_are_other_words_and_the_phrase_is_none() -> None:
    how, english = Pronunciation(), languages.find("en")
    words = ["hey marvin", "marvin"]
    said = reading.read(words, how)
    others = [spoken.word for spoken in plan._other_words(words, said, english, how)]
    assert "hey" in others and "marvin" not in others and "hey marvin" not in others
    assert len([word for word in others if word.startswith("hey ")]) == plan._PARTNERS
    assert len(set(others)) == len(others)


def test_words_alone_leave_the_other_words_as_they_were() -> None:
    assert plan._parts(["alexa", "yes"], ["go", "stop"]) == []
