"""tinyml registry: versions, gates, the way back, and faults."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli.errors import TinymlError
from tinyml_cli.git import commit_of
from tinyml_cli.model_registry import listing
from tinyml_cli.model_registry.promote import promote, roll_back
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import EXPORTED, SBOM, add, added_text, export, find
from tinyml_cli.run import MANIFEST, MODEL_INT8

HALF = [True] * 20 + [False] * 20


def test_from_the_command_line(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one"), make_run("two")
    said = {
        "registry add": ["runs/one", "--name", "lamp"],
        "registry promote": ["lamp"],
        "registry list": [],
        "registry": [],
        "registry show": ["lamp@champion"],
        "registry export": ["lamp", "--out", "back"],
        "registry verify": [],
    }
    for command, arguments in said.items():
        found = tinyml(*command.split(), *arguments, "--json", cwd=tmp_path).json
        outcomes.check(command, found)
        assert tinyml(*command.split(), *arguments, cwd=tmp_path, code=None).code in (0, 2)
    tinyml("registry", "add", "runs/two", "--name", "lamp", cwd=tmp_path)
    tinyml("registry", "promote", "lamp@2", cwd=tmp_path)
    back = tinyml("registry", "rollback", "--json", cwd=tmp_path).json
    outcomes.check("registry rollback", back)
    assert (back["number"], back["champion_before"]) == (1, 2)


def test_what_comes_out_is_what_went_in(tmp_path: Path, store: Store, make_run: MakeRun) -> None:
    run = make_run("one")
    added = add(store, run)
    export(store, *find(store, "one@1"), tmp_path / "out")
    kept = {path.relative_to(run.path) for path in run.path.rglob("*") if path.is_file()}
    back = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert back == kept | {Path(SBOM), Path(EXPORTED)}
    assert all((tmp_path / "out" / file).read_bytes() == run.file(str(file)).read_bytes() for file in kept)
    assert added.figures["accuracy"] == 1 and added.aliases == ["challenger"]
    parts = json.loads((tmp_path / "out" / SBOM).read_text())
    assert {"tinyml-cli", "numpy"} <= {part["name"] for part in parts["components"]}


def test_the_same_run_is_added_once(store: Store, make_run: MakeRun) -> None:
    run = make_run("one")
    first, second = add(store, run), add(store, run)
    assert (first.fresh, second.fresh, first.number, second.number) == (True, False, 1, 1)
    assert len(store.index("one").history) == 1


def test_a_worse_version_needs_a_reason(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("good"), "lamp")
    assert promote(store, "lamp").promoted
    add(store, make_run("bad", right=HALF), "lamp")
    refused = promote(store, "lamp")
    assert not refused.promoted and store.index("lamp").champion == 1
    assert [gate.gate for gate in refused.gates if gate.result != "pass"] == ["champion"]
    forced = promote(store, "lamp", override="the good one is too loud")
    assert forced.promoted and store.index("lamp").history[-1].override == "the good one is too loud"
    assert roll_back(store, "lamp").number == 1


@pytest.mark.parametrize(
    ("options", "gate"),
    [
        ({"gap": 0.3}, "fairness"),
        ({}, "fairness"),  # the champion has groups, this one was not evaluated by any
        ({"gap": 0.1, "mismatches": 2}, "parity"),
        ({"gap": 0.1, "labels": ["yes", "no"]}, "champion"),
        ({"gap": 0.1, "first_item": 1000}, "champion"),  # other test items, which cannot be read any more
    ],
)
def test_every_gate_stops_by_itself(
    store: Store, make_run: MakeRun, options: dict[str, object], gate: str
) -> None:
    add(store, make_run("good", gap=0.1), "lamp")
    promote(store, "lamp")
    add(store, make_run("other", **options), "lamp")
    refused = promote(store, "lamp")
    assert [each.gate for each in refused.gates if each.result != "pass"] == [gate]
    assert not refused.promoted


def test_within_chance_is_no_worse(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("good", gap=0.1), "lamp")
    promote(store, "lamp")
    add(store, make_run("one_miss", right=[False] + [True] * 39, gap=0.11), "lamp")
    assert promote(store, "lamp").promoted


def test_the_second_promotion_is_judged_against_the_first_ones_champion(
    store: Store, make_run: MakeRun
) -> None:
    for name, right in (("old", HALF), ("better", [True] * 40), ("worse", HALF)):
        add(store, make_run(name, right=right), "lamp")
    assert promote(store, "lamp@1").promoted and promote(store, "lamp@2").promoted
    assert not promote(store, "lamp@3").promoted


def test_going_back_goes_on_back(store: Store, make_run: MakeRun) -> None:
    for name in ("one", "two", "three"):
        add(store, make_run(name), "lamp")
        promote(store, "lamp")
    assert [roll_back(store, "lamp").number for _ in range(2)] == [2, 1]
    with pytest.raises(TinymlError, match="no earlier champion"):
        roll_back(store, "lamp")
    assert promote(store, "lamp@3").promoted and roll_back(store, None).number == 1


def test_promoting_the_champion_changes_nothing(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("one"))
    promote(store, "one")
    before = store.index_path("one").read_bytes()
    assert promote(store, "one@1").promoted and store.index_path("one").read_bytes() == before
    add(store, make_run("two"), "one")
    promote(store, "one")
    lost = store.object_path(store.version(store.index("one"), 1).int8_sha256)
    lost.unlink()
    with pytest.raises(TinymlError, match="lacks an object"):  # nothing to go back to
        roll_back(store, "one")
    lost.write_bytes(b"changed")
    with pytest.raises(TinymlError, match="was changed"):
        promote(store, "one@1", override="all the same")
    assert store.index("one").champion == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("lamp@challengr", "Did you mean `challenger`"),
        ("lamp@champion", "no champion now"),
        ("lamp@7", "Known: challenger, 1"),
        ("lamp@0", "no version"),
        ("lmap", "Did you mean `lamp`"),
        ("lamp@-1", "no version"),
        ("lamp@../../x", "no version"),
        ("../x", "No model"),
    ],
)
def test_an_unknown_version_is_answered(store: Store, make_run: MakeRun, given: str, says: str) -> None:
    add(store, make_run("one"), "lamp")
    with pytest.raises(TinymlError) as caught:
        find(store, given)
    assert says in str(caught.value)


def test_every_changed_byte_is_found(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("one"))
    promote(store, "one")
    assert listing.verify(store).ok
    for path in [path for path in store.path.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            try:
                found = listing.verify(Store(store.path)).faults
            finally:
                path.write_bytes(whole)
            assert found, (path, at)
    assert listing.verify(store).ok


def test_a_registry_copied_without_its_objects_says_so(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    add(store, make_run("one"))
    shutil.copytree(store.path, tmp_path / "copy", ignore=shutil.ignore_patterns("objects"))
    for words in (["list"], ["show"], ["promote"], ["export"]):
        answer = tinyml("registry", *words, "--registry", "copy", cwd=tmp_path, code=2)
        assert "copied without its folder `objects`" in answer.err
    faults = tinyml("registry", "verify", "--registry", "copy", "--json", cwd=tmp_path, code=1).json["faults"]
    assert len(faults) == 1 and "one@1" in faults[0]


def test_a_champion_whose_files_are_lost_is_none(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("one"))
    promote(store, "one")
    for path in store.objects():
        path.unlink() if path.name != store.index("one").versions[1] else None
    with pytest.raises(TinymlError, match="copied without its folder `objects`"):
        promote(store, "one@1")


def test_a_full_disk_leaves_the_registry_as_it_was(
    tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever of its writes the disk is full."""
    one, two = make_run("one"), make_run("two")
    sync, left = os.fsync, [0]

    def full(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    whole = Store.make(tmp_path / "whole")
    add(whole, one, "lamp")
    promote(whole, "lamp")
    done, writes = False, 0
    while not done:
        store = Store(Path(shutil.copytree(whole.path, tmp_path / f"registry{writes}")))
        before = store.index_path("lamp").read_bytes()
        left[0] = writes
        monkeypatch.setattr(os, "fsync", full)
        try:
            add(store, two, "lamp")
            done = promote(store, "lamp").promoted
        except TinymlError as error:
            assert "No space left" in error.what
        finally:
            monkeypatch.setattr(os, "fsync", sync)
        index = store.index("lamp")
        assert listing.verify(store).ok
        assert done or index.champion == 1
        assert len(index.versions) == 2 or store.index_path("lamp").read_bytes() == before
        writes += 1
    assert writes > 6  # five files, the version, twice the index


def test_a_folder_of_something_else_is_left_alone(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"me")
    answer = tinyml("registry", "add", "runs/one", "--registry", "photos", cwd=tmp_path, code=2)
    assert "not a registry" in answer.err and [p.name for p in (tmp_path / "photos").iterdir()] == ["me.jpg"]
    assert "Nothing was written" in answer.err
    said = tinyml("registry", "verify", "--registry", "photos", cwd=tmp_path, code=2).err
    assert "Name the registry's folder" in said and "written" not in said


def test_newer_and_damaged_registries_are_told_apart(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("one"))
    path = store.index_path("one")
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"version": 2, "new": 1}))
    with pytest.raises(TinymlError, match="version 2"):
        store.index("one")
    for text in ("", "[]", "{}", json.dumps(document | {"challenger": None})):
        path.write_text(text)
        with pytest.raises(TinymlError, match="damaged"):
            store.index("one")
    (store.path / "registry.json").write_text('{"tinyml_registry": 9}')
    with pytest.raises(TinymlError, match="version 9"):
        Store.open(store.path)


@pytest.mark.parametrize("kind", ["folder", "broken link"])
def test_what_is_no_file_is_damage_and_is_not_written_over(
    store: Store, make_run: MakeRun, kind: str
) -> None:
    run = make_run("one")
    add(store, run)
    index = store.index("one")

    def replace(path: Path) -> None:
        path.unlink()
        path.mkdir() if kind == "folder" else path.symlink_to("nowhere")

    replace(store.index_path("one"))
    for attempt in (lambda: store.index("one"), lambda: add(store, run)):
        with pytest.raises(TinymlError, match=r"damaged.*no file"):
            attempt()
    assert "Restore it" in listing.verify(store).faults[0]
    (store.index_path("one").rmdir if kind == "folder" else store.index_path("one").unlink)()
    store.save(index)
    replace(store.object_path(index.versions[1]))
    assert not listing.verify(store).ok
    if kind == "folder":
        with pytest.raises(TinymlError, match="A folder lies where"):
            add(store, run)
    else:
        assert add(store, run).mended == ["one@1"]


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "con", "x" * 300, "-a"])
def test_a_name_that_is_no_files_is_refused(store: Store, make_run: MakeRun, name: str) -> None:
    with pytest.raises(TinymlError):
        add(store, make_run("one"), name)
    assert not store.path.exists() or store.names() == []


def test_a_run_without_an_int8_model_is_refused(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one").file(MODEL_INT8).unlink()
    assert "tinyml convert" in tinyml("registry", "add", "runs/one", cwd=tmp_path, code=2).err
    assert not (tmp_path / "registry").exists()
    assert "There is no registry" in tinyml("registry", "list", cwd=tmp_path, code=2).err


def test_models_are_completed(tmp_path: Path, store: Store, make_run: MakeRun) -> None:
    from tinyml_cli import completion, main

    add(store, make_run("one"), "lamp")
    line = ["registry", "promote", "--registry", str(store.path)]
    found = completion.complete(main.app, line, "la")
    assert [value for value, _ in found] == ["lamp", "lamp@champion", "lamp@challenger"]


def test_the_commit_of_the_project_is_read_without_git(tmp_path: Path) -> None:
    one, two = "1" * 40, "2" * 40
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert commit_of(tmp_path / "a") is None
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert commit_of(tmp_path / "a" / "b") is None  # nothing committed yet
    (git / "packed-refs").write_text(f"# pack-refs\n{one} refs/heads/main\n")
    assert commit_of(tmp_path / "a" / "b") == one
    (git / "refs" / "heads" / "main").write_text(f"{two}\n")
    assert commit_of(tmp_path / "a" / "b") == two
    (git / "worktrees" / "w").mkdir(parents=True)
    (git / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "worktrees" / "w" / "commondir").write_text("../..\n")
    (tmp_path / "a" / ".git").write_text(f"gitdir: {git / 'worktrees' / 'w'}\n")
    assert commit_of(tmp_path / "a" / "b") == two
    (git / "HEAD").write_text(f"{one}\n")
    assert commit_of(tmp_path) == one


def test_an_empty_reason_is_none(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one", mismatches=1)
    tinyml("registry", "add", "runs/one", cwd=tmp_path)
    assert "The reason is empty" in tinyml("registry", "promote", "--override", " ", cwd=tmp_path, code=2).err
    assert tinyml("registry", "promote", "--json", cwd=tmp_path, code=1).json["promoted"] is False


def test_what_a_version_lacks_is_said(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("one")
    run.file("report/metrics.json").write_text("{}")
    answer = tinyml("registry", "add", "runs/one", cwd=tmp_path)
    assert "Left out, as they are missing, changed or out of date: report/metrics.json" in answer.err
    for text, says in (("", "it is empty"), ("task: [", "Cannot read")):
        (run.path / "recipe.yaml").write_text(text)
        assert says in tinyml("registry", "add", "runs/one", cwd=tmp_path, code=2).err


def test_a_reason_is_one_line_of_the_history(store: Store, make_run: MakeRun) -> None:
    add(store, make_run("one", mismatches=1))
    assert promote(store, "one", override=" it\n  2030-01-01 root: promote\t9 ").override == (
        "it 2030-01-01 root: promote 9"
    )


def test_what_was_rolled_back_is_promoted_only_by_its_number(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    for name in ("one", "two"):
        run = make_run(name)
        add(store, run, "lamp")
        promote(store, "lamp")
    roll_back(store, "lamp")
    add(store, run, "lamp")  # as `make release` does
    for words in (("lamp",), ()):
        said = tinyml("registry", "promote", *words, cwd=tmp_path, code=2).err
        assert "tinyml registry promote lamp@2" in said
    assert store.index("lamp").champion == 1
    assert promote(store, "lamp@2").promoted
    add(store, make_run("three"), "lamp")
    assert promote(store, "lamp").number == 3


def test_what_is_not_measured_is_measured_on_an_exported_run(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    add(store, make_run("one"), "lamp")
    (tmp_path / "budgets.yaml").write_text("inference_ms: 5\nparity: false\n")
    said = tinyml("registry", "promote", "lamp", cwd=tmp_path, code=1).out
    for command in (
        "tinyml registry export lamp@1",
        "tinyml profile runs/lamp-1 --board sim",
        "tinyml registry add runs/lamp-1 --name lamp",
    ):
        assert command in " ".join(said.split()), said
    assert "/tmp" not in said


@pytest.mark.parametrize("lost", [True, False])
def test_adding_the_run_again_mends_every_object(store: Store, make_run: MakeRun, lost: bool) -> None:
    run = make_run("one")
    add(store, make_run("zero"), "lamp")
    promote(store, "lamp")
    add(store, run, "lamp")
    for path in store.objects():
        if path.name in (kept := store.version(store.index("lamp"), 1)).files.values():
            continue
        if path.name == store.index("lamp").versions[1]:
            continue
        content = path.read_bytes()
        path.unlink() if lost else path.write_bytes(content[:-1] + b"!")
        assert list(store.faults())
        added = add(store, run, "lamp")
        assert (added.number, added.fresh) == (2, False) and kept
        assert added.mended and "lamp@2" in added_text(added)
        assert path.read_bytes() == content and not list(store.faults())


def test_models_whose_names_some_computers_do_not_tell_apart_are_refused(
    store: Store, make_run: MakeRun
) -> None:
    add(store, make_run("one"), "Lamp한")
    run = make_run("two")
    for name in ("lamp한", "LAMP한", "Lamp\u1112\u1161\u11ab"):
        with pytest.raises(TinymlError, match="Lamp한"):
            add(store, run, name)
    assert store.names() == ["Lamp한"]


def test_errors_name_the_version_and_not_its_copy(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    add(store, make_run("one"), "lamp")
    promote(store, "lamp")
    (tmp_path / "log.jsonl").write_text("{}\n")
    words = ("retrain", "lamp", "--when", "drift", "--log", "log.jsonl", "--dry-run")
    said = tinyml(*words, cwd=tmp_path, code=2).err
    assert "[lamp@1]" in said and "tinyml registry export lamp@1" in said and "tinyml-retrain" not in said


def test_a_version_of_a_newer_tinyml_asks_for_that_alone(store: Store, make_run: MakeRun) -> None:
    run = make_run("one")
    add(store, run, "lamp")
    document = json.loads(run.file(MANIFEST).read_text())
    index = store.index("lamp")
    version = store.version(index, 1)
    newer, _ = store.put_bytes(json.dumps(document | {"schema_version": 99}).encode())
    text = version.model_copy(update={"files": version.files | {MANIFEST: newer}}).model_dump_json()
    index.versions[1], _ = store.put_bytes(text.encode())
    store.save(index)
    with pytest.raises(TinymlError) as refused:
        promote(store, "lamp@1")
    assert refused.value.next_step == "Upgrade: pip install --upgrade tinyml-cli"
    assert refused.value.where.startswith("lamp@1")


def test_next_steps_name_a_registry_that_is_not_the_default(
    tinyml: Tinyml, tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("lamp").path
    other, named = ("--registry", "far away"), "--registry 'far away'"

    def err(*words: str, code: int = 2) -> str:
        answer = tinyml(*words, cwd=tmp_path, code=code)
        return " ".join((answer.out + answer.err).split())

    assert f"tinyml registry add {named}" in err("registry", "list", *other)
    assert f"tinyml registry promote lamp@1 {named}" in err("registry", "add", str(run), *other, code=0)
    assert f"tinyml registry promote lamp {named}" in err("retrain", "--when", "age", *other)
    (tmp_path / "budgets.yaml").write_text("ram_bytes: 1\n")
    said = err("registry", "promote", *other, code=1)
    assert f"registry export lamp@1 {named}" in said and f"--name lamp {named}" in said
    (tmp_path / "budgets.yaml").unlink()
    err("registry", "promote", *other, code=0)
    assert f"registry show lamp {named}" in err("registry", "rollback", *other)
    shutil.rmtree(tmp_path / "far away" / "objects")
    assert f"registry verify {named}" in err("registry", "show", *other)
    assert f"registry add RUN {named}" in err("registry", "verify", *other, code=1)
    monkeypatch.setenv("TINYML_REGISTRY", "far away")
    assert "--registry" not in err("registry", "verify", code=1)
