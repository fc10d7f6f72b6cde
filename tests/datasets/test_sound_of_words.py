"""Labels judged by the word embedding: on vectors that are known, and on speech with known mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tinyml_cli.datasets import check_sound
from tinyml_cli.datasets.checks import CheckSettings
from tinyml_cli.datasets.sound_of_words import SoundOfWords, compare
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.tflite import interpret


def spoken(words: dict[str, np.ndarray], people: int = 12, spread: float = 0.1) -> tuple:
    """Vectors of two clips of each word by each person, around the words' directions."""
    rng = np.random.default_rng(1)
    rows = [(word, f"p{person}") for word in words for person in range(people) for _ in range(2)]
    vectors = np.stack([words[word] + spread * rng.normal(size=len(words[word])) for word, _ in rows])
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit, [word for word, _ in rows], [person for _, person in rows]


AXES = np.eye(8)
WORDS = {"yes": AXES[0], "no": AXES[1], "up": AXES[2]}


def test_clean_words_have_no_findings() -> None:
    assert compare(*spoken(WORDS)) == SoundOfWords([], [], [])


def test_a_person_with_one_mistake_throughout_does_not_prove_it_right() -> None:
    vectors, words, people = spoken(WORDS, spread=0.05)
    swapped = [
        "no" if word == "yes" and person == "p3" else word for word, person in zip(words, people, strict=True)
    ]
    found = compare(vectors, swapped, people)
    assert {(clip.row, clip.other) for clip in found.unlike} == {(6, "yes"), (7, "yes")}
    assert all(clip.own < 0.2 and clip.nearest > 0.9 for clip in found.unlike)


def test_what_is_like_no_word_is_named_without_another() -> None:
    vectors, words, people = spoken(WORDS, spread=0.05)
    vectors[5] = AXES[7]
    (clip,) = compare(vectors, words, people).unlike
    assert (clip.row, clip.other) == (5, "")


def test_a_folder_of_many_words_is_one_finding() -> None:
    vectors, words, people = spoken(WORDS)
    rows = [row for row, word in enumerate(words) if word == "up"]
    vectors[rows] = np.linalg.qr(np.random.default_rng(2).normal(size=(24, 24)))[0][:, :8]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = compare(vectors, words, people)
    assert [word for word, *_ in found.mixed] == ["up"] and found.unlike == []


def test_words_that_sound_alike_are_named_once() -> None:
    near = AXES[0] + 0.3 * AXES[3]
    found = compare(
        *spoken({"tree": AXES[0], "three": near / np.linalg.norm(near), "up": AXES[2]}, spread=0.2)
    )
    assert [pair[:2] for pair in found.alike] == [("three", "tree")]


def test_one_person_and_few_clips_are_judged_clip_by_clip() -> None:
    vectors, words, _ = spoken(WORDS, people=4, spread=0.05)
    vectors[2] = AXES[1]
    found = compare(vectors, words, ["me"] * len(words))
    assert [(clip.row, clip.other) for clip in found.unlike] == [(2, "no")]
    assert compare(vectors[:3], words[:3], ["me"] * 3) == SoundOfWords()
    assert compare(np.zeros((24, 8), np.float32), words, ["me"] * 24).alike == []


def test_without_a_runtime_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interpret, "lite_interpreter", lambda *_: import_quietly("no_tensorflow"))
    noise = np.random.default_rng(1).integers(-9000, 9000, 16_000).astype(np.int16)
    (tmp_path / "said" / "yes").mkdir(parents=True)
    soundfile.write(tmp_path / "said" / "yes" / "a_nohash_0.wav", noise, 16_000)
    found = check_sound.survey(tmp_path / "said", CheckSettings())
    assert "labels were not judged by their sound" in capsys.readouterr().err
    assert "few_clips" in {finding.kind for finding in found.findings}


@pytest.mark.slow
def test_a_clip_under_the_wrong_word_is_found_in_a_folder(tinyml: Tinyml, tmp_path: Path) -> None:
    root = tmp_path / "said"
    words = ("--words", "left,seven", "--clips", "14", "--unknown", "0", "--seed", "1")
    tinyml("data", "synth", *words, "--out", root, cwd=tmp_path)
    wrong = min((root / "seven").iterdir())
    wrong.rename(root / "left" / wrong.name)
    document = tinyml("data", "check", root, "--json", cwd=tmp_path).json
    findings = {
        each["place"]: each["detail"] for each in document["findings"] if each["kind"] == "unlike_word"
    }
    assert "rather `seven`" in findings[f"left/{wrong.name}"] and document["ok"]
