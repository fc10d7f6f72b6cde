"""The lessons as commands: what they print, draw and refuse."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests import outcomes as printed
from tests.cli.test_next_steps import parse
from tests.conftest import Tinyml
from tinyml_cli.console import Console
from tinyml_cli.learn import neuron

LESSONS = (
    "loss --w 2",
    "descent --rate 0.4 --steps 9",
    "neuron --hidden 2 --epochs 9",
    "digits --units 4 --epochs 1",
    "filter --kernel blur --pool 3",
    "overfit --samples 10 --epochs 1",
    "quantize --bits 3",
)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_ends_in_a_picture(
    tinyml: Tinyml, tmp_path: Path, lesson: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    answer = tinyml("learn", *lesson.split(), "--json", cwd=tmp_path)
    printed.check(f"learn {lesson.split()[0]}", answer.json)
    pictures = list(tmp_path.iterdir())
    assert [path.name for path in pictures] == [answer.json["picture"]]
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    assert any(letter in answer.err for letter in "░▒▓█⠤")  # the drawing, beside the JSON


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("loss --w abc", "`--w` must be a number"),
        ("loss --points 1,2;1,3", "two different x"),
        ("loss --out picture.jpg", "PNG"),
        ("descent --rate nan", "`--rate` must be"),
        ("descent --rate fast", "`--rate` must be a number"),
        ("descent --start 8", "two numbers"),
        ("descent --start 8,x", "`x` is not a number"),
        ("neuron --snapshots 1,500 --epochs 100", "whole numbers from 1 to 100"),
        ("neuron --points 0,0;900000,1 --rate 1000", "without end"),
        ("neuron --hidden many", "`--hidden` must be a whole number"),
        ("digits --no-normalise --layers 6 --units 64 --rate 1000 --epochs 1", "without end"),
        ("digits --item 450", "no test digit 450"),
        ("digits --optimizer sdg", "Unknown optimizer"),
        ("filter --kernel 1,2;3", "not a matrix"),
        ("filter --kernel 1,2;3,4", "3 x 3"),
        ("filter --kernel sobel", "no kernel `sobel`"),
        ("filter --kernel 1,2,3;4,5,6;7,8,9/0", "divided"),
        ("filter none.png", "does not exist"),
        ("filter --pooling min", "Unknown pooling"),
        ("quantize --bits 9", "`--bits` must be from 2 to 8"),
        ("quantize --matrix 1,2;x", "not a matrix"),
        ("quantize --outlier inf", "`--outlier` must be"),
        ("overfit --samples 5", "`--samples` must be from 10"),
    ],
)
def test_bad_input_leaves_nothing(tinyml: Tinyml, tmp_path: Path, words: str, says: str) -> None:
    answer = tinyml("learn", *words.split(), "--json", cwd=tmp_path, code=2)
    assert says in answer.json["error"]["what"]
    assert answer.json["error"]["next_step"]
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_digits_say_what_they_need(tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for lesson in ("digits", "overfit"):
        error = tinyml("learn", lesson, "--json", cwd=tmp_path, code=2).json["error"]
        assert "`sklearn`" in error["what"]
        assert "pip install" in error["next_step"]
    assert list(tmp_path.iterdir()) == []


def test_a_seed_repeats_a_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neuron, "_draw", lambda *_: None)
    first, again, other = (
        neuron.learn_neuron(2, 9, 0.05, 1.0, None, None, seed, tmp_path / "out.png").outcome
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_page_has_every_lesson_and_commands_that_are_understood(repository: Path) -> None:
    page = (repository / "docs" / "learn.md").read_text(encoding="utf-8")
    commands = re.findall(r"^tinyml (learn .+)$", page, re.MULTILINE)
    for command in commands:
        parse(shlex.split(command))
    assert {command.split()[1] for command in commands} == {lesson.split()[0] for lesson in LESSONS}
