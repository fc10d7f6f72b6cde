"""Natural voices that judge a run trained on synthetic speech: those that it never heard."""

from __future__ import annotations

import pytest

from tinyml_cli.data.clips import Corpus, empty
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import kokoro, kokoro_files
from tinyml_cli.tasks.kws.streams import _spoken, _strangers
from tinyml_cli.tasks.kws.task import KWS


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro_files, "missing", lambda: "")


def test_strangers_choose_or_judge_and_have_not_trained() -> None:
    heard = {f"kokoro/{voice}" for voice in kokoro.VOICES[::2]}
    recipe = KwsRecipe(words=["alexa"])
    chosen, judged = (set(_strangers(recipe, heard, split)) for split in ("validation", "test"))
    assert chosen and judged and not chosen & judged
    assert chosen | judged == set(kokoro.VOICES[1::2])


@pytest.mark.parametrize(
    ("words", "language", "heard"),
    [
        ("alexa", "en", {f"kokoro/{voice}" for voice in kokoro.VOICES[2:]}),  # too few are left
        ("hallo", "de", set()),  # Kokoro speaks no German
    ],
)
def test_without_enough_strangers_the_voices_of_the_run_speak(
    words: str, language: str, heard: set[str]
) -> None:
    recipe = KwsRecipe.model_validate({"words": [words], "synthesis": {"language": [language]}})
    assert _strangers(recipe, heard, "test") == []


def test_without_kokoro_the_run_s_other_engines_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(recipe: KwsRecipe) -> Corpus:
        asked.append(recipe.synthesis.engines)
        if "kokoro" in recipe.synthesis.engines:
            kokoro_files.require()
        return Corpus(empty(16_000))

    monkeypatch.setattr(kokoro_files, "missing", lambda: "package onnxruntime")
    monkeypatch.setattr(KWS, "load_data", load)
    _spoken(KwsRecipe.model_validate({"synthesis": {"engines": ["espeak", "kokoro"]}}))
    assert asked == [["espeak", "kokoro"], ["espeak"]]
    with pytest.raises(TinymlError, match="Kokoro is not fully installed"):
        _spoken(KwsRecipe.model_validate({"synthesis": {"engines": ["kokoro"]}}))


def test_without_kokoro_the_voices_of_the_run_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro_files, "missing", lambda: "package onnxruntime")
    assert _strangers(KwsRecipe(words=["alexa"]), set(), "test") == []
