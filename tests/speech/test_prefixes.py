"""Words that begin with another one."""

from __future__ import annotations

import pytest

from tinyml_cli.speech import espeak
from tinyml_cli.speech.prefixes import longer_words


def test_letters_decide() -> None:
    words = ["no", "nora", "only", "on", "stop", "Hey", "hey marvin", "not", "go"]
    found = longer_words(words)
    assert found["no"] == ["nora", "not"]
    assert found["on"] == ["only"]
    assert found["Hey"] == ["hey marvin"]
    assert not {"nora", "stop", "only", "hey marvin"} & set(found)


def test_words_that_share_a_beginning_do_not_begin_each_other() -> None:
    assert longer_words(["yes", "yet", "yellow"]) == {}
    assert longer_words(["yes"]) == {}


@pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")
def test_sounds_decide_too() -> None:
    assert longer_words(["knee", "neatly"])["knee"] == ["neatly"]
