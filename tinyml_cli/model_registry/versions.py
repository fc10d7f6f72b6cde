"""Versions: a run goes in, is found by number or alias, and comes out again."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import UPGRADE, TinymlError, did_you_mean
from tinyml_cli.files import atomic_folder, runs_dir
from tinyml_cli.git import commit_of
from tinyml_cli.manifest import Manifest
from tinyml_cli.model_registry.documents import (
    CHALLENGER,
    CHAMPION,
    Change,
    ExportedVersion,
    ModelIndex,
    ModelVersion,
)
from tinyml_cli.model_registry.sbom import sbom
from tinyml_cli.model_registry.store import Store, registry_step
from tinyml_cli.outcomes.registries import VersionAdded, VersionExported
from tinyml_cli.profile.outcome import PROFILE
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.figures import RunFigures
from tinyml_cli.project.gates import BUDGET_KINDS
from tinyml_cli.run import MANIFEST, MODEL_INT8, RECIPE, Run
from tinyml_cli.run_folder import VARIANTS

SBOM = "sbom.json"
EXPORTED = "registry_version.json"
# Not artifacts, but needed to judge the version later.
_ALSO = ("report/answers.npz", PROFILE, "report/card.md", "report/card.json")


def add(store: Store, run: Run, name: str | None = None, board: str | None = None) -> VersionAdded:
    """Adds a run as a new version, the challenger; a run that is there already stays what it is.

    Args:
        store: the registry.
        run: with an int8 model.
        name: of the model; the run's by default.
        board: whose firmware's size is kept; the budgets' default by default.

    Raises:
        TinymlError: no whole int8 model, a file that changed meanwhile, or a registry that cannot be written.
    """
    manifest = run.manifest()
    run.require(manifest, MODEL_INT8)
    model = _name_of(run) if name is None else name
    with store.writing():
        index = store.index_or_new(model)
        put = {file: store.put_file(run.file(file)) for file in _files(run, manifest)}
        put[SBOM] = store.put_bytes(sbom(manifest).encode())
        files = {file: sha256 for file, (sha256, _) in put.items()}
        figures = RunFigures(run, board or Budgets().board)
        measured = {key: figure.value for key in BUDGET_KINDS if (figure := figures.of_budget(key))}
        created = now()
        version = ModelVersion(
            model=model,
            created=created,
            run=_name_of(run),
            task=manifest.task,
            labels=manifest.labels,
            tinyml_version=manifest.tinyml_version,
            code=commit_of(run.path),
            data_snapshot=manifest.data.snapshot if manifest.data else None,
            int8_sha256=manifest.artifacts[MODEL_INT8].sha256,
            parent=index.champion,
            figures=measured,
            files=files,
        )
        mended = [
            *_repair(store, index, version),
            *_mended(store, {sha256 for sha256, is_new in put.values() if is_new}),
        ]
        if (known := _same(store, index, files)) is not None:
            return _added(store, index, known, fresh=False, mended=mended)
        number = max(index.versions, default=0) + 1
        index.versions[number], _ = store.put_bytes(_text(version))
        index.challenger = number
        index.history.append(Change(at=created, by=user(), action="add", number=number))
        store.save(index)
        return _added(store, index, number, fresh=True, mended=mended)


def find(store: Store, given: str | None, default: str | None = None) -> tuple[ModelIndex, int]:
    """The model and version that `NAME`, `NAME@3` or `NAME@champion` means.

    Args:
        store: the registry.
        given: None: the only model there is.
        default: the alias that a name alone means; where it is free, or None, the newest version.

    Raises:
        TinymlError: there is no such model, version or alias; those that there are, are named.
    """
    name, _, which = (given or "").partition("@")
    if not name:
        names = store.names()
        if len(names) != 1:
            listed = f"Models: {', '.join(names)}." if names else f"Add one: {store.step('add')}"
            what = "Several models are there: name one" if names else "The registry holds no model"
            raise TinymlError(what, str(store.path), listed)
        name = names[0]
    index = store.index(name)
    aliases = index.aliases()
    if not which:
        return index, aliases.get(default or "", max(index.versions))
    number = aliases.get(which, int(which) if re.fullmatch(r"[1-9]\d{0,8}", which) else 0)
    if number not in index.versions:
        is_free = which in (CHAMPION, CHALLENGER)
        what = f"`{name}` has no {which} now" if is_free else f"`{name}` has no version or alias `{which}`"
        known = [*aliases, *map(str, index.versions)]
        raise TinymlError(
            what,
            str(store.path),
            f"{did_you_mean(which, known)}Known: {', '.join(known)}.",
        )
    return index, number


def export(store: Store, index: ModelIndex, number: int, out: Path) -> VersionExported:
    """Writes a version as the run that was added.

    Raises:
        TinymlError: an object is missing or was changed, or the folder holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TinymlError(
            "The folder is not empty; nothing was written", str(out), "Choose a new one with --out."
        )
    version = store.version(index, number)
    with atomic_folder(out) as folder:
        write_run(store, version, folder)
        record = ExportedVersion(model=index.model, number=number)
        text = record.model_dump_json(indent=1) + "\n"
        (folder / EXPORTED).write_text(text, encoding="utf-8", newline="\n")
    return VersionExported(
        model=index.model,
        number=number,
        run=str(out),
        files=sorted([*version.files, EXPORTED]),
        int8_sha256=version.int8_sha256,
    )


def exported_to(model: str, number: int) -> Path:
    """Where a version is exported to by default."""
    return runs_dir() / f"{model}-{number}"


@contextlib.contextmanager
def told_of(store: Store, folder: Path, model: str, number: int) -> Iterator[None]:
    """Errors about a copy of a version in a temporary folder name the version, and how it is exported."""
    try:
        yield
    except TinymlError as error:
        if str(folder) not in f"{error.what} {error.where} {error.next_step}":
            raise
        called = f"{model}@{number}"
        what, where = (text.replace(str(folder), called) for text in (error.what, error.where))
        export = store.step("export", called)
        step = error.next_step.replace(str(folder), str(exported_to(model, number)))
        if error.next_step != UPGRADE:
            step = f"Export it first: {export}. {step}"
        raise TinymlError(what, where, step) from error


def is_export(run: Run) -> bool:
    """Whether a run came out of a registry: it is a version once more, and no training of its own."""
    return run.file(SBOM).is_file()


def exported_from(run: Run) -> str | None:
    """The version that an exported run says it is, `NAME@3`; None for one that keeps no record of it.

    Raises:
        TinymlError: the record is damaged.
    """
    path = run.file(EXPORTED)
    if not path.is_file():
        return None
    try:
        record = ExportedVersion.model_validate(load_json(path))
    except (UnreadableError, ValidationError) as error:
        step = (
            f"Delete it: the version is then found by the model's bytes. {path.name} is no part of the model."
        )
        raise TinymlError("The record of the version is damaged", str(path), step) from error
    return f"{record.model}@{record.number}"


def write_run(store: Store, version: ModelVersion, folder: Path) -> Run:
    """Copies a version's files into a folder; its run.

    Raises:
        TinymlError: an object is missing or was changed.
    """
    for file, sha256 in version.files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.require(sha256), path)
    return Run(folder)


def now() -> str:
    """The time in UTC, to the second, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user() -> str:
    """Who does it, as the system says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _name_of(run: Run) -> str:
    path = run.path.resolve()
    return f"{run.root.resolve().name}-{path.name}" if path.parent.name == VARIANTS else path.name


def _files(run: Run, manifest: Manifest) -> list[str]:
    """What belongs to a version: manifest, recipe, and all artifacts that are as they were recorded.

    Raises:
        TinymlError: a recipe that cannot be read.
    """
    if run.file(RECIPE).is_file():
        recipes.read(run.file(RECIPE))
    artifacts = [name for name in manifest.artifacts if run.is_fresh(manifest, name)]
    if left_out := sorted(manifest.artifacts.keys() - set(artifacts)):
        console.warn(f"Left out, as they are missing, changed or out of date: {', '.join(left_out)}")
    others = [name for name in (RECIPE, *_ALSO) if run.file(name).is_file()]
    return sorted({MANIFEST, *artifacts, *others})


def _same(store: Store, index: ModelIndex, files: dict[str, Any]) -> int | None:
    """The version that holds exactly these files, among those that can be read."""
    for number, sha256 in index.versions.items():
        if store.holds(sha256) and store.version(index, number).files == files:
            return number
    return None


def _mended(store: Store, written: set[str]) -> Iterator[str]:
    """The files of versions whose objects were written although they should have been there."""
    for name in store.names() if written else []:
        index = store.index(name)
        for number, sha256 in index.versions.items():
            if store.holds(sha256):
                files = store.version(index, number).files
                yield from (f"{name}@{number} {file}" for file in sorted(files) if files[file] in written)


def _repair(store: Store, index: ModelIndex, version: ModelVersion) -> Iterator[str]:
    """Writes damaged descriptions of versions again that this one, added at their time, would have had."""
    champion = None
    for change in index.history:
        if change.action == "add" and not store.holds(sha256 := index.versions.get(change.number, "")):
            text = _text(version.model_copy(update={"created": change.at, "parent": champion}))
            if hashlib.sha256(text).hexdigest() == sha256:
                store.put_bytes(text)
                yield f"{index.model}@{change.number}"
        elif change.action != "add":
            champion = change.number


def _text(version: ModelVersion) -> bytes:
    return (version.model_dump_json(indent=1) + "\n").encode()


def _added(store: Store, index: ModelIndex, number: int, fresh: bool, mended: list[str]) -> VersionAdded:
    version = store.version(index, number)
    return VersionAdded(
        registry=str(store.path),
        model=index.model,
        number=number,
        fresh=fresh,
        mended=mended,
        aliases=[alias for alias, at in index.aliases().items() if at == number],
        int8_sha256=version.int8_sha256,
        figures=version.figures,
    )


def added_text(outcome: VersionAdded) -> str:
    """What `add` says."""
    called = f"{outcome.model}@{outcome.number}"
    mended = (
        f" Was damaged or lost, and is whole again: {', '.join(outcome.mended)}." if outcome.mended else ""
    )
    if not outcome.fresh:
        return f"{called} holds this very run already.{mended}"
    return f"Added {called}.{mended} Next: {registry_step(Path(outcome.registry), 'promote', called)}"
