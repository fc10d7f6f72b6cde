"""tinyml data snapshot: what data were, and what changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import outcomes
from tests.conftest import Tinyml
from tinyml_cli.data import snapshot
from tinyml_cli.data.snapshot import DataSnapshot, SnapshotItem
from tinyml_cli.datasets import snapshots
from tinyml_cli.run import Run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label in ("yes", "no"):
        for speaker in ("anna", "ben", "cem", "dora"):
            path = tmp_path / "data" / label / f"{speaker}_nohash_0.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{label} {speaker}".encode())
    (tmp_path / "data" / "LICENSE").write_text("CC0")
    return tmp_path / "data"


def test_every_kind_of_change_is_named(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    first = tinyml("data", "snapshot", "data", "--out", "old.json", "--json", cwd=tmp_path).json
    outcomes.check("data snapshot", first)
    assert first["files"] == 8 and first["labels"] == {"no": 4, "yes": 4} and first["texts"] == ["LICENSE"]
    (data / "yes" / "new_nohash_0.wav").write_bytes(b"new")
    (data / "yes" / "anna_nohash_0.wav").unlink()
    (data / "yes" / "ben_nohash_0.wav").rename(data / "no" / "ben_nohash_1.wav")
    (data / "no" / "cem_nohash_0.wav").write_bytes(b"cut")
    (data / "LICENSE").write_text("CC BY 4.0")
    second = tinyml("data", "snapshot", "data", "--against", "old.json", "--json", cwd=tmp_path).json
    outcomes.check("data snapshot", second)
    assert second["difference"] == {
        "same": False,
        "added": ["yes/new_nohash_0.wav"],
        "removed": ["yes/anna_nohash_0.wav"],
        "changed": ["no/cem_nohash_0.wav"],
        "relabelled": ["no/ben_nohash_1.wav"],
        "leaked": [],
        "texts_changed": ["LICENSE"],
    }


def test_a_copy_is_added_and_a_moved_file_is_not(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    def since() -> tuple[list[str], list[str], str]:
        words = ("data", "snapshot", "data", "--against", "old.json")
        found = tinyml(*words, "--json", cwd=tmp_path).json["difference"]
        return found["added"], found["removed"], tinyml(*words, cwd=tmp_path).out

    anna, copy = data / "yes" / "anna_nohash_0.wav", data / "yes" / "anna_nohash_1.wav"
    tinyml("data", "snapshot", "data", "--out", "old.json", cwd=tmp_path)
    shutil.copyfile(anna, copy)
    assert since()[:2] == (["yes/anna_nohash_1.wav"], [])
    anna.unlink()
    added, removed, said = since()
    assert not added and not removed and "other names" in said and "Nothing" not in said
    shutil.copyfile(copy, anna)
    tinyml("data", "snapshot", "data", "--out", "old.json", cwd=tmp_path)
    anna.unlink()
    assert since()[:2] == ([], ["yes/anna_nohash_0.wav"])


def test_an_equal_snapshot_is_not_written_again(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    tinyml("data", "snapshot", "data", "--out", "s.json", cwd=tmp_path)
    before = (tmp_path / "s.json").stat().st_mtime_ns
    (data / ".hidden").write_text("x")
    answer = tinyml("data", "snapshot", "data", "--out", "s.json", "--json", cwd=tmp_path)
    assert not answer.json["written"] and (tmp_path / "s.json").stat().st_mtime_ns == before


def test_the_digest_is_that_of_names_and_contents_alone(tmp_path: Path, data: Path) -> None:
    import shutil

    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(data, elsewhere)
    (elsewhere / "README.md").write_text("about")
    assert snapshot.take(elsewhere).digest == snapshot.take(data).digest
    (elsewhere / "no" / "ben_nohash_0.wav").rename(elsewhere / "yes" / "ben_nohash_9.wav")
    assert snapshot.take(elsewhere).digest != snapshot.take(data).digest


def test_a_copy_in_the_test_folder_leaks(tinyml: Tinyml, tmp_path: Path) -> None:
    for split, content in (("train", b"a"), ("train", b"b"), ("test", b"a")):
        path = tmp_path / "data" / split / "cup" / f"{content.decode()}{split}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    answer = tinyml("data", "snapshot", "data", "--json", cwd=tmp_path, code=1)
    assert answer.json["leaked"] == ["test/cup/atest.png", "train/cup/atrain.png"]
    assert "Leaked between test and training" in tinyml("data", "snapshot", "data", cwd=tmp_path, code=1).out


def test_speakers_are_split_by_the_recipes_shares(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    from tinyml_cli.data.splits import split_of

    tinyml("data", "snapshot", "data", "--config", "kws", "--out", "s.json", cwd=tmp_path)
    items = json.loads((tmp_path / "s.json").read_text())["items"]
    assert {item["split"] for item in items.values()} == {
        split_of(name, 0.1, 0.15) for name in ("anna", "ben", "cem", "dora")
    }


_SPLITS = st.sampled_from(["train", "validation", "test", None])
_ITEMS = st.dictionaries(
    st.sampled_from([f"l/{n}.wav" for n in range(6)]),
    st.builds(
        lambda content, split: SnapshotItem(sha256=f"{content:064x}", bytes=1, label="l", split=split),
        st.integers(0, 3),
        _SPLITS,
    ),
)


@settings(max_examples=30, deadline=None)
@given(_ITEMS, _ITEMS)
def test_a_leak_is_found_in_both_directions(
    one: dict[str, SnapshotItem], two: dict[str, SnapshotItem]
) -> None:
    first, second = (DataSnapshot(digest="0" * 64, texts={}, items=items) for items in (one, two))
    crossed = {
        a.sha256
        for a in one.values()
        for b in two.values()
        if a.sha256 == b.sha256
        and None not in (a.split, b.split)
        and (a.split == "test") != (b.split == "test")
    }
    assert {second.items[name].sha256 for name in snapshots.leaks(first, second)} == crossed
    assert {first.items[name].sha256 for name in snapshots.leaks(second, first)} == crossed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s | {"version": 2}, "pip install --upgrade"),
        (lambda s: s | {"digest": "0" * 64}, "was changed"),
        (lambda s: {"a": 1}, "not a snapshot"),
        (lambda s: [], "not a snapshot"),
    ],
)
def test_a_snapshot_that_is_none_is_refused(
    tinyml: Tinyml, tmp_path: Path, data: Path, change: object, says: str
) -> None:
    tinyml("data", "snapshot", "data", "--out", "s.json", cwd=tmp_path)
    document = json.loads((tmp_path / "s.json").read_text())
    (tmp_path / "s.json").write_text(json.dumps(change(document)))  # type: ignore[operator]
    answer = tinyml("data", "snapshot", "data", "--against", "s.json", cwd=tmp_path, code=2)
    assert says in answer.err


def test_missing_data_is_refused(tinyml: Tinyml, tmp_path: Path) -> None:
    assert "no such file or folder" in tinyml("data", "snapshot", "none", cwd=tmp_path, code=2).err


def test_a_run_names_the_data_that_trained_it(whistle_run: Path, corpus: Path) -> None:
    run = Run(whistle_run)
    data = run.manifest().data
    kept = snapshot.load(run.require(run.manifest(), snapshot.SNAPSHOT))
    assert data is not None and data.snapshot == kept.digest == snapshot.take(corpus).digest


def test_links_in_a_circle_and_names_of_other_encodings_end(tmp_path: Path, data: Path) -> None:
    (data / "yes" / "loop").symlink_to(data, target_is_directory=True)
    (data / "more").symlink_to(data / "no", target_is_directory=True)
    with contextlib.suppress(OSError):  # not every file system takes such names
        Path(os.fsdecode(os.fsencode(data / "yes") + b"/caf\xe9.wav")).write_bytes(b"x")
    taken = snapshot.take(data)
    assert DataSnapshot.model_validate_json(taken.text()) == taken
    assert not any("loop" in name for name in taken.items)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_an_error_of_the_command(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    (data / "yes" / "anna_nohash_0.wav").chmod(0)
    assert "Cannot read the file" in tinyml("data", "snapshot", "data", cwd=tmp_path, code=2).err


def test_training_warns_where_no_snapshot_can_be_taken(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tinyml_cli.recipes.base import BaseRecipe
    from tinyml_cli.stages import common

    recipe = BaseRecipe(task="kws", data_path=str(data))
    taken = common._snapshot(recipe)
    assert taken is not None and taken.digest == snapshot.take(data).digest

    def fail(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(snapshot, "_hash_of", lambda *of: fail(data))
    assert common._snapshot(recipe) is None
    assert "no snapshot of the data" in capsys.readouterr().err


def test_only_a_snapshot_is_replaced_and_never_among_the_data(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "data" / "yes").mkdir(parents=True)
    clip, mine = tmp_path / "data" / "yes" / "a.wav", tmp_path / "mine.json"
    clip.write_bytes(b"RIFF")
    mine.write_text("{}")
    for place in (clip, mine, tmp_path / "data" / "new.json"):
        before = place.read_bytes() if place.exists() else None
        tinyml("data", "snapshot", "data", "--out", place, cwd=tmp_path, code=2)
        assert (place.read_bytes() if place.exists() else None) == before
    for _ in range(2):
        tinyml("data", "snapshot", "data", "--out", tmp_path / "s.json", cwd=tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders there")
def test_what_no_snapshot_can_hold_is_named(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    before = tinyml("data", "snapshot", "data", "--json", cwd=tmp_path)
    os.mkfifo(data / "yes" / "pipe.wav")
    (data / "no" / "gone.wav").symlink_to("nowhere")
    (data / "no" / "all").symlink_to(data)
    found = tinyml("data", "snapshot", "data", "--json", cwd=tmp_path)
    assert found.json["digest"] == before.json["digest"]
    for name in ("pipe.wav", "gone.wav", "all"):
        assert name in found.err and name not in before.err
    (data / "no" / "endless.wav").symlink_to("/dev/zero")
    said = tinyml("data", "snapshot", "data", cwd=tmp_path).err
    assert "device (endless.wav" in said and "a broken link (gone.wav)" in said


def test_only_snapshots_and_folders_are_compared_with(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    for name in ("notes.txt", "old.json", "yes/anna.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no snapshot")
        assert "snapshot" in tinyml("data", "snapshot", "data", "--against", name, cwd=tmp_path, code=2).err


def test_quiet_means_the_outcome_alone(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    (data / "LICENSE").unlink()
    assert "licence" in tinyml("data", "snapshot", "data", cwd=tmp_path).out
    assert tinyml("data", "snapshot", "data", "-q", cwd=tmp_path).out.count("\n") == 1
    assert "licence" not in tinyml("data", "snapshot", "data", "-q", cwd=tmp_path).out


def test_quiet_tells_what_changed(tinyml: Tinyml, tmp_path: Path, data: Path) -> None:
    def said() -> str:
        return tinyml("data", "snapshot", "data", "--against", "old.json", "-q", cwd=tmp_path).out

    tinyml("data", "snapshot", "data", "--out", "old.json", cwd=tmp_path)
    assert "Nothing has changed." in said()
    (data / "LICENSE").write_text("CC BY 4.0")
    assert "Since the earlier snapshot: 1 licence or text." in said()
    (data / "yes" / "new_nohash_0.wav").write_bytes(b"new")
    (data / "no" / "cem_nohash_0.wav").unlink()
    assert "Since the earlier snapshot: 1 added, 1 removed, 1 licence or text." in said()


def test_a_folder_without_data_is_refused(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "data" / "yes").mkdir(parents=True)
    (tmp_path / "data" / "README.md").write_text("soon\n")
    for words in (["data"], ["data", "--out", "s.json"], ["data", "--against", "data"]):
        assert "There are no data" in tinyml("data", "snapshot", *words, cwd=tmp_path, code=2).err
    assert not (tmp_path / "s.json").exists()
