"""Words that an English voice would spell out or misread are refused before anything is spoken."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, flite, languages, plan, reading, sayable, synthesis
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.voices import Voices

pytestmark = pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")


def why_not(*words: str) -> list[str]:
    letters = sayable.letters_of(words)
    spoken = espeak.pronounce([*words, *letters])
    names = dict(zip(letters, spoken[len(words) :], strict=True))
    english = languages.find("en")
    return [sayable.why_not(word, ipa, names, english) for word, ipa in zip(words, spoken, strict=False)]


def test_english_words_are_said() -> None:
    words = (
        "yes",
        "no",
        "hey-bot",
        "don't",
        "7",
        "10",
        "wifi",
        "hmm",
        "psst",
        "ok",
        "TV",
        "USB",
        "alexa",
        "3d",
        "k9",
        "h2o",
        "mp3",
        "USB2",
        "nein",
        "ja",
    )
    assert why_not(*words) == [""] * len(words)


@pytest.mark.parametrize(
    ("word", "script"),
    [
        ("はい", "Hiragana"), ("ハイ", "Katakana"), ("нет", "Cyrillic"), ("你好", "CJK"), ("안녕", "Hangul"),
        ("שלום", "Hebrew"), ("ναι", "Greek"), ("हाँ", "Devanagari"), ("ใช่", "Thai"), ("نعم", "Arabic"),
        ("yesは", "Hiragana"), ("ｱ", "Katakana"), ("٧", "Arabic-Indic"), ("ꯍ", "Meetei"),
    ],
)  # fmt: skip
def test_other_scripts_are_named(word: str, script: str) -> None:
    assert f"written in {script}" in why_not(word)[0]


@pytest.mark.parametrize(
    "word",
    [
        "sí",
        "straße",
        "über",
        "niño",
        "smørrebrød",
        "šest",
        "ığdır",
        "si\u0301",
        "x\u030c",
        "ｙｅｓ",
        "µ",
        "½",
    ],
)
def test_letters_that_english_lacks_are_named(word: str) -> None:
    assert "not a letter of English" in why_not(word)[0]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("👍", "`👍`"),
        ("yes👍", "`👍`"),
        ("hey–bot", "`–`"),
        ("don’t", "`’`"),
        ("yes\u200b", "zero width space"),
    ],
)
def test_symbols_are_named(word: str, shown: str) -> None:
    assert why_not(word)[0].startswith(f"{shown} is neither a letter nor a digit")


@pytest.mark.parametrize("word", ["--", "'", "!!", "..."])
def test_words_without_a_sound_are_refused(word: str) -> None:
    assert "no letter or digit" in why_not(word)[0]


@pytest.mark.parametrize(
    "word", ["kws", "brr", "shh", "html", "grr", "ngl", "usb", "pdf", "www", "usb2", "html5"]
)
def test_what_is_spelt_out_is_refused(word: str) -> None:
    assert "letter by letter" in why_not(word)[0]


def test_nothing_is_spoken_of_a_word_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "_speak", lambda *rest: pytest.fail("spoken"))
    with pytest.raises(
        TinymlError,
        match=r"No synthetic voice can pronounce `はい`.*recordings of it with --data",
    ):
        synthesis.synthesise(["yes", "はい"], 10, 0, Voices(["espeak"]), 16_000, 16_000, 0)


def test_other_words_are_spoken_whatever_the_recordings_say() -> None:
    corpus = synthesis.synthesise(["はい"], 0, 4, Voices(["espeak"]), 16_000, 16_000, 0)
    assert set(corpus.clips.labels) == {UNKNOWN}


def test_words_that_voices_would_misread_are_left_to_the_recordings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    corpus = synthesis.synthesise(
        ["yes", "нет"], 9, 2, Voices(["espeak"]), 16_000, 16_000, 0, skip_unsayable=True
    )
    assert set(corpus.clips.labels) == {"yes", UNKNOWN}
    assert "cannot pronounce `нет`" in capsys.readouterr().err


@pytest.mark.parametrize("attempts_fail", [1, 99])
def test_clips_that_came_out_empty_are_said_by_other_voices_or_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], attempts_fail: int
) -> None:
    whole, attempts = synthesis._speak, []

    def two_fail(plan: list, *rest: object) -> list:
        attempts.append(len(plan))
        bad = 2 if len(attempts) <= attempts_fail else 0
        spoken = enumerate(whole(plan, *rest))
        return [np.zeros(0, np.int16) if row < bad else audio for row, audio in spoken]

    monkeypatch.setattr(synthesis, "_speak", two_fail)
    monkeypatch.setattr(synthesis, "_load", lambda path, count: None)
    corpus = synthesis.synthesise(["yes"], 10, 2, Voices(["espeak"]), 16_000, 16_000, 5)
    told = "Skipped 2 of 12 clips, silent or too short" in capsys.readouterr().err
    if attempts_fail == 1:
        assert attempts == [12, 2] and len(corpus.clips) == 12 and not told
    else:
        assert len(corpus.clips) == 10 and told


@pytest.mark.skipif(not flite.is_installed(), reason="flite is not installed")
def test_what_flite_alone_spells_out_is_left_to_the_other_voices() -> None:
    def engines_of(word: str, engines: list[str]) -> set[str]:
        how = Pronunciation()
        planned = plan.plan(reading.read([word], how), [word], 60, 0, Voices(engines), 0, how)
        return {each.group.partition("/")[0] for each in planned}

    for word in ("hmm", "psst"):
        assert engines_of(word, ["espeak", "flite"]) == {"espeak"}
        with pytest.raises(TinymlError, match=f"flite spells `{word}` out"):
            engines_of(word, ["flite"])
    for word in ("yes", "TV", "ok"):
        assert engines_of(word, ["espeak", "flite"]) == {"espeak", "flite"}
