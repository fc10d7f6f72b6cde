"""`tinyml runs`: whatever lies in the folder is listed, and nothing outside of it is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.test_locks import _other_process
from tests.test_nothing_left import tree
from tinyml_cli import run_list
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data, Epochs
from tinyml_cli.run import MANIFEST, MODEL, MODEL_INT8, RECIPE, Run


def _make(path: Path, age_s: float = 0, **fields: object) -> Run:
    """A run with a model of three bytes."""
    run = Run(path)
    manifest = Manifest(task="kws", seed=1, labels=["silence", "unknown", "yes", "no"], **fields)  # type: ignore[arg-type]
    with run.making():
        write_atomic(run.file(RECIPE), "task: kws\n")
        write_atomic(run.file(MODEL), "abc")
        run.record(manifest, MODEL, "tinyml train")
        run.save(manifest)
    then = run.file(MANIFEST).stat().st_mtime - age_s
    os.utime(run.file(MANIFEST), (then, then))
    return run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with runs of every kind, and a file and a folder beside them that are not runs."""
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    _make(runs / "old", 7300)
    counts = {"validation": {"silence": 10, "unknown": 30, "yes": 20, "no": 40}}
    data = Data(source="folder", split_by="speaker", counts=counts)
    _make(runs / "checked", 100, metrics={"train": {"validation_accuracy": 0.91}}, data=data)
    run = _make(runs / "tested", 50, metrics={"evaluate": {"n": 500, "int8": {"accuracy": 0.946}}})
    manifest = run.manifest()
    write_atomic(run.file(MODEL_INT8), b"x" * 2048)
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    _make(runs / "half", 20, complete=False, epochs=Epochs(done=12, planned=30))
    for name in ("empty", "photos", "untrained", "broken", "gone"):
        (runs / name).mkdir()
    (runs / "photos" / "me.jpg").write_bytes(b"\xff\xd8")
    (runs / "untrained" / RECIPE).write_bytes(b"\xff\ntask: kws\n")
    (runs / "broken" / MANIFEST).write_text("[" * 100_000)
    _make(runs / "gone", 10).file(MODEL).unlink()
    _make(runs / "tune-kws" / "best", 5)
    _make(runs / "newest")
    _make(tmp_path / "elsewhere")
    (runs / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    return tmp_path


def test_everything_is_listed_as_what_it_is(tinyml: Tinyml, place: Path) -> None:
    before = tree(place)
    listed = tinyml("runs", "--json", cwd=place).json["runs"]
    runs = {each["name"]: each for each in listed}
    assert len(runs) == len(listed)
    assert {name: each["state"] for name, each in runs.items()} == {
        "old": "trained",
        "checked": "trained",
        "tested": "converted",
        "half": "stopped at epoch 12 of 30",
        "empty": "empty",
        "photos": "not a run",
        "untrained": "not trained",
        "broken": "damaged",
        "gone": "damaged",
        "tune-kws/best": "trained",
        "newest": "trained",
    }
    assert [name for name, each in runs.items() if each["latest"]] == ["newest"]
    measured = {name: (each["accuracy"], each["measure"], each["n"]) for name, each in runs.items()}
    assert measured["checked"] == (0.91, "validation accuracy", 100)
    assert measured["tested"] == (0.946, "accuracy", 500)
    assert measured["old"] == (None, "", None)
    assert runs["tested"]["model_bytes"] == 2048
    assert {name for name, each in runs.items() if not each["task"]} == {"empty", "photos", "broken"}
    assert not runs["half"]["complete"] and runs["old"]["complete"]
    assert tree(place) == before


@pytest.mark.parametrize("value", [7, -0.1, float("nan"), "high", None, [0.9]])
def test_a_figure_that_is_no_share_is_not_shown(tmp_path: Path, value: object) -> None:
    run = _make(tmp_path / "run", metrics={"evaluate": {"n": -3, "int8": {"accuracy": value}}})
    shown = run_list.show(run)
    assert (shown.accuracy, shown.measure, shown.n) == (None, "", None)
    assert "measured" not in run_list.show_text(shown)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits(tinyml: Tinyml, place: Path, columns: int) -> None:
    text = tinyml("runs", cwd=place, env={"COLUMNS": str(columns)}).out
    assert max(map(len, text.splitlines())) <= columns
    assert "* newest" in text and "…" not in text
    assert "94.6%" in text


def test_a_folder_without_runs_says_how_to_make_one(tinyml: Tinyml, tmp_path: Path) -> None:
    assert "tinyml train" in tinyml("runs", cwd=tmp_path).out
    assert tinyml("runs", "--json", cwd=tmp_path).json == {"folder": "runs", "runs": []}


@pytest.mark.parametrize("name", ["old", "half", "untrained", "broken", "gone", "empty", "tune-kws/best"])
def test_every_kind_of_run_is_shown_and_removed(tinyml: Tinyml, place: Path, name: str) -> None:
    assert tinyml("runs", "show", name, "--json", cwd=place).json["name"] == name
    assert tinyml("runs", "rm", name, "--yes", "--json", cwd=place).json["removed"] == [name]
    assert not (place / "runs" / name).exists()
    assert (place / "runs" / "latest").resolve().name == "newest"


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "../elsewhere",
        "link",
        "../runs",
        "photos",
        "photos/me.jpg",
        "nowhere",
        "old/../../elsewhere",
        "tune-kws",
        "/",
        "",
    ],
)
@pytest.mark.parametrize("command", [("rm", "--yes"), ("rename", "new")])
def test_what_is_no_run_in_the_folder_is_refused(
    tinyml: Tinyml, place: Path, name: str, command: tuple[str, str]
) -> None:
    before = tree(place)
    tinyml("runs", command[0], name, command[1], cwd=place, code=2)
    assert tree(place) == before


@pytest.mark.parametrize(
    "new",
    [
        "latest",
        "tested",
        "../out",
        "a/b",
        "",
        ".hidden",
        "x" * 101,
        "a\n",
        "link",
        "CON",
        "nul.txt",
        "com1 .a",
    ],
)
def test_names_that_cannot_be_are_refused(tinyml: Tinyml, place: Path, new: str) -> None:
    before = tree(place)
    tinyml("runs", "rename", "old", new, cwd=place, code=2)
    assert tree(place) == before


def test_latest_goes_with_its_run_and_to_the_newest_that_is_left(tinyml: Tinyml, place: Path) -> None:
    latest = place / "runs" / "latest"
    renamed = tinyml("runs", "rename", "latest", "はい 2", "--json", cwd=place).json
    assert renamed == {"renamed": "newest", "run": "はい 2", "latest": "はい 2"}
    assert latest.resolve().name == "はい 2"
    tinyml("runs", "rename", "old", "older", cwd=place)
    assert latest.resolve().name == "はい 2"
    assert tinyml("runs", "rm", "はい 2", "-y", "--json", cwd=place).json["latest"] == "tested"
    for name in ("half", "tested", "checked", "older"):
        tinyml("runs", "rm", name, "--yes", cwd=place)
    assert not latest.is_symlink()
    assert "Name a run" in tinyml("convert", cwd=place, code=2).err


def test_nothing_is_removed_where_nobody_agrees(tinyml: Tinyml, place: Path) -> None:
    before = tree(place)
    assert "--yes" in tinyml("runs", "rm", "old", cwd=place, code=2).err
    assert tree(place) == before


def test_one_wrong_name_removes_none(tinyml: Tinyml, place: Path) -> None:
    before = tree(place)
    tinyml("runs", "rm", "old", "nowhere", "--yes", cwd=place, code=2)
    assert tree(place) == before


def test_a_run_in_use_is_listed_as_such_and_stays(tinyml: Tinyml, place: Path) -> None:
    with _other_process(place / "runs" / "old") as other:
        listed = tinyml("runs", "--json", cwd=place).json["runs"]
        assert {each["name"] for each in listed if each["in_use_by"]} == {"old"}
        for command in (("rm", "old", "--yes"), ("rename", "old", "new")):
            assert f"process {other.pid}" in tinyml("runs", *command, cwd=place, code=2).err
    assert (place / "runs" / "old" / MANIFEST).is_file()


def test_a_lost_link_to_the_latest_is_no_lack_of_runs(tinyml: Tinyml, place: Path) -> None:
    (place / "runs" / "latest").unlink()
    said = tinyml("convert", cwd=place, code=2).err
    assert "link to it is gone" in said and "tested" in said
