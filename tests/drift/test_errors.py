"""Errors where labels come late, and the command `watch-drift`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.drift.test_page_test import watch
from tinyml_cli.drift.errors import judge_errors, kind, read_feedback
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.4])
def test_a_doubled_rate_is_found_and_the_same_one_seldom(rate: float) -> None:
    rng = np.random.default_rng(3)
    assert judge_errors(rng.random(400) < max(0.15, 2 * rate), rate).drifted
    false = sum(judge_errors(rng.random(200) < rate, rate).drifted for _ in range(20))
    assert false <= 6  # expected 2


def test_the_kinds_are_told_apart() -> None:
    calm, bad = judge_errors(np.zeros(50, bool), 0.1), judge_errors(np.ones(50, bool), 0.1)
    sentences = [kind(data, errors) for data in (False, True) for errors in (calm, bad)]
    assert len(set(sentences)) == 4
    assert "Concept drift" in sentences[1] and "no answers" in sentences[2]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a,b\n1,2\n", "no columns"),
        ("", "no columns"),
        ("heard,truth\n" + "yes,no\n" * 19, "19 answers"),
        ("heard,truth\n" + "yes,no\n" * 30 + "yes\n", "Line 32"),
        ("heard,truth\n\xff", "UTF-8"),
        ("heard,truth\n" + '"' + "x" * 200_000, "CSV"),
    ],
)
def test_feedback_that_cannot_be_used_is_refused(text: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(TinymlError, match=what):
        read_feedback(file)


def test_feedback_is_read(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("time,truth,heard\n" + "1,yes, yes\n2,no,yes\n" * 12, encoding="utf-8")
    assert read_feedback(file).tolist() == [False, True] * 12


def test_watch_drift_says_what_it_cannot_do_and_removes_tests(tmp_path: Path, tinyml: Tinyml) -> None:
    run = Run.create(tmp_path / "run")
    manifest = Manifest(task="vww", seed=1, drift_watch=watch())
    run.save(manifest)
    assert "tinyml drift RUN LOG" in tinyml("watch-drift", run.path, cwd=tmp_path, code=2).err
    assert tinyml("watch-drift", run.path, "--off", "--json", cwd=tmp_path).json["watch"] is False
    assert json.loads(run.file("manifest.json").read_text(encoding="utf-8"))["drift_watch"] is None
