"""Manifests of every earlier schema open, keep what they say, and are written in today's schema."""

from __future__ import annotations

import copy
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from tinyml_cli import registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_migration import SCHEMA_VERSION, migrated
from tinyml_cli.run import MANIFEST, Run
from tinyml_cli.tasks.kws.task import KWS

GOLDEN = Path(__file__).parent / "golden" / "manifests"
OLD = sorted(GOLDEN.glob("v*/*.json"))


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _run_of(document: dict[str, Any], folder: Path) -> Run:
    """A run with that manifest, and small files in place of the artifacts."""
    document = copy.deepcopy(document)
    entries = document["artifacts"]
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in entries}
    for name, entry in entries.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        sources = entry["made_from"].items()
        assert all(document["artifacts"][source]["sha256"] == sha256 for source, sha256 in sources)
        entry["made_from"] = {source: hashes[source] for source, _ in sources}
    for name, entry in entries.items():
        entry["sha256"] = hashes[name]
    (folder / MANIFEST).write_text(json.dumps(document))
    return Run(folder)


def test_every_earlier_schema_has_examples() -> None:
    assert {path.parent.name for path in OLD} == {f"v{version}" for version in range(1, SCHEMA_VERSION)}
    assert all(f"v{_document(path)['schema_version']}" == path.parent.name for path in OLD)


def _says(new: object, old: object) -> bool:
    """Whether all that an old document says is there still; a newer one may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _says(new[key], value) for key, value in old.items())
    return new == old


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_old_manifest_keeps_what_it_says(path: Path, tmp_path: Path) -> None:
    old = _document(path)
    manifest = Manifest.load(path)
    manifest.save(tmp_path / MANIFEST)
    new = _document(tmp_path / MANIFEST)
    assert new["schema_version"] == SCHEMA_VERSION
    assert Manifest.load(tmp_path / MANIFEST) == manifest
    kept = old.keys() & new.keys() - {"schema_version"}
    assert _says({key: new[key] for key in kept}, {key: old[key] for key in kept})
    of_sound = set() if old.get("features") else {"clip_ms", "recognizer"}
    assert old.keys() - kept - {"schema_version"} == of_sound & old.keys()


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_the_first_class_of_an_old_run_that_looks_was_its_background(version: int) -> None:
    manifest = Manifest.load(GOLDEN / f"v{version}" / "vww_evaluated.json")
    assert manifest.background == manifest.labels[0] == "none"
    assert Manifest.load(GOLDEN / f"v{version}" / "kws_trained.json").background is None


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_fresh_stays_fresh(path: Path, tmp_path: Path) -> None:
    run = _run_of(_document(path), tmp_path)
    manifest = run.manifest(partial=True)
    run.save(manifest)
    manifest = run.manifest(partial=True)
    assert all(run.is_fresh(manifest, name) for name in manifest.artifacts)
    assert manifest.exports == _document(path)["exports"]


def test_reading_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    run = _run_of(_document(GOLDEN / "v1" / "wand_evaluated.json"), tmp_path)
    before = run.file(MANIFEST).read_bytes()
    run.manifest()
    assert run.file(MANIFEST).read_bytes() == before


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_migration_changes_no_document_in_place(path: Path) -> None:
    document = _document(path)
    before = copy.deepcopy(document)
    new = migrated(document, document["schema_version"])
    assert document == before
    assert migrated(new, SCHEMA_VERSION) == new


@settings(max_examples=30, deadline=None)
@given(st.integers(SCHEMA_VERSION + 1, 2**62))
def test_a_newer_schema_asks_for_an_upgrade(version: int) -> None:
    with pytest.raises(TinymlError, match=f"schema {version}") as caught:
        _load({"schema_version": version, "whatever": "comes"})
    assert "Upgrade" in caught.value.next_step


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.integers(-(2**62), 0), st.booleans(), st.floats(0, 9), st.text(), st.none()))
def test_what_is_no_version_is_damaged(version: object) -> None:
    with pytest.raises(TinymlError, match="damaged"):
        _load({"schema_version": version, "task": "kws", "seed": 1})


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_damage_is_named_in_every_schema(version: int) -> None:
    with pytest.raises(TinymlError, match="`seed`"):
        _load({"schema_version": version, "task": "kws", "seed": "many"})


class ClapSettings(BaseModel):
    """What a task of another package might keep."""

    model_config = ConfigDict(extra="forbid")

    gap_ms: int = Field(ge=20)


@pytest.fixture
def claps(monkeypatch: pytest.MonkeyPatch) -> None:
    task = copy.copy(KWS)
    task.settings_schema = ClapSettings
    monkeypatch.setattr(f"{__name__}.CLAPS", task, raising=False)
    monkeypatch.setitem(registry._TRAINED, "claps", f"{__name__}:CLAPS")


@pytest.mark.usefixtures("claps")
def test_a_task_of_another_package_keeps_its_settings(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    Manifest(task="claps", seed=1, task_settings=ClapSettings(gap_ms=300).model_dump()).save(path)
    assert Manifest.load(path).settings_as(ClapSettings) == ClapSettings(gap_ms=300)


@pytest.mark.usefixtures("claps")
@pytest.mark.parametrize("given_settings", [{"gap_ms": 1}, {"gap_ms": "long"}, {"gap_ms": 300, "gaps": 2}])
def test_settings_that_the_task_refuses_are_damage(given_settings: dict[str, Any]) -> None:
    with pytest.raises(TinymlError, match=r"damaged \(task_settings: .*gap"):
        _load({"schema_version": SCHEMA_VERSION, "task": "claps", "seed": 1, "task_settings": given_settings})


def test_a_task_without_settings_refuses_them() -> None:
    with pytest.raises(TinymlError, match=r"damaged \(task_settings: Unknown key `gap_ms`"):
        _load({"schema_version": SCHEMA_VERSION, "task": "kws", "seed": 1, "task_settings": {"gap_ms": 3}})


def test_a_run_opens_where_its_tasks_package_is_missing() -> None:
    kept = {"gap_ms": 300}
    document = {"schema_version": SCHEMA_VERSION, "task": "claps", "seed": 1, "task_settings": kept}
    assert _load(document).task_settings == kept


def _load(document: dict[str, Any]) -> Manifest:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        path.write_text(json.dumps(document))
        return Manifest.load(path)
