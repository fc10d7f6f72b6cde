"""Wrong words, recipes, runs and boards: one paragraph, exit code 2, nothing half-written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.corpus import write_corpus


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "kwz"], "kwz"),
        (["train", "kws", "--words", "yes,yes"], "twice"),
        (["train", "kws", "--words", "silence,yes"], "silence"),
        (["train", "kws", "--words", ","], "`,` has an empty entry"),
        (["data", "synth", "--words", "yes,,no", "--out", "x"], "`yes,,no` has an empty entry"),
        (["data", "record", "images", "--classes", "cup, "], "`cup, ` has an empty entry"),
        (["train", "wand", "--labels", ",wing"], "`,wing` has an empty entry"),
        (["train", "kws", "--words"], "requires an argument"),  # `--json` follows
        (["build", "--board"], "requires an argument"),
        (["train", "kws", "--data", "nowhere"], "nowhere"),
        (["train", "kws", "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["train", "kws", "--set", "training.epochs"], "key=value"),
        (["train", "kws", "--set", "training.epohcs=3"], "epochs"),
        (["train", "kws", "--set", "training.epochs=-3"], "training.epochs"),
        (["train", "wand", "--data", "nowhere"], "no such file or folder"),
        (["quantize", "nowhere"], "nowhere"),
        (["convert"], "There are no runs yet"),
        (["build", "--board", "sim"], "There are no runs yet"),
    ],
)
def test_the_error_names_the_culprit(tinyml: Tinyml, tmp_path: Path, arguments: list[str], says: str) -> None:
    answer = tinyml(*arguments, "--json", cwd=tmp_path, code=2)
    assert says in json.dumps(answer.json["error"], ensure_ascii=False)
    assert answer.json["error"]["next_step"]
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err
    assert not list(tmp_path.rglob("*.keras"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "NAME"],
        ["runs", "rename", "NAME", "b"],
        ["runs", "show", "NAME"],
        ["recipes", "show", "NAME"],
        ["data", "check", "NAME"],
        ["inspect", "NAME.tflite"],
        ["train", "kws", "--words", "NAME"],
        ["train", "kws", "--config", "NAME.yaml"],
        ["NAME"],
    ],
)
def test_a_name_breaks_no_paragraph_and_steers_no_terminal(
    tinyml: Tinyml, tmp_path: Path, arguments: list[str]
) -> None:
    name = "a\x1b[31mb\ncd\u202e"
    answer = tinyml(*[each.replace("NAME", name) for each in arguments], cwd=tmp_path, code=2)
    assert answer.err.endswith("\n") and answer.err[:-1].isprintable(), answer.err


def test_an_option_without_its_value_names_its_command(tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml("train", "kws", "--words", cwd=tmp_path, code=2)
    assert "`--words` requires an argument" in answer.err and "`tinyml train kws --help`" in answer.err


def test_a_folder_of_something_else_is_left_alone(tinyml: Tinyml, tmp_path: Path) -> None:
    precious = tmp_path / "photos" / "me.jpg"
    precious.parent.mkdir()
    precious.write_bytes(b"\xff\xd8")
    tinyml("train", "kws", "--words", "yes,no", "--run", precious.parent, cwd=tmp_path, code=2)
    assert [p.name for p in precious.parent.iterdir()] == ["me.jpg"]


def _run_with(folder: Path, manifest: str) -> Path:
    run = folder / "runs" / "a"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(manifest)
    return run


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ('{"schema_version": 99}', "schema 99"),
        ("not json", "damaged"),
        ('{"schema_version": 1, "task": "kws"}', "seed"),
        ("[]", "damaged"),
        ('{"schema_version": 1, "task": "kws", "seed": 1}', "missing"),
    ],
)
def test_unusable_manifest(tinyml: Tinyml, tmp_path: Path, manifest: str, says: str) -> None:
    run = _run_with(tmp_path, manifest)
    answer = tinyml("convert", run, cwd=tmp_path, code=2)
    assert says in answer.err
    assert (run / "manifest.json").read_text() == manifest


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "data", speakers=12)


def _corrupt(data: Path) -> None:
    (data / "up" / "anna_nohash_0.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVEnot audio at all")


def _empty(data: Path) -> None:
    (data / "up" / "anna_nohash_0.wav").write_bytes(b"")


def _one_clip(data: Path) -> None:
    for clip in sorted((data / "down").iterdir())[1:]:
        clip.unlink()


@pytest.mark.parametrize(
    ("spoil", "words", "says"),
    [
        (None, "up,dwon", "down"),
        (_corrupt, "up,down", "anna_nohash_0.wav"),
        (_empty, "up,down", "anna_nohash_0.wav"),
        (_one_clip, "up,down", "down"),
    ],
)
def test_unusable_recordings(
    tinyml: Tinyml,
    corpus: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None] | None,
    words: str,
    says: str,
) -> None:
    data = Path(shutil.copytree(corpus, tmp_path / "data"))
    if spoil:
        spoil(data)
    before = sorted(path for path in data.rglob("*"))
    answer = tinyml("train", "kws", "--words", words, "--data", data, "--json", cwd=tmp_path, code=2)
    assert says in json.dumps(answer.json["error"], ensure_ascii=False)
    assert answer.json["error"]["next_step"]
    assert sorted(path for path in data.rglob("*")) == before
    assert not list(tmp_path.rglob("model.keras"))
