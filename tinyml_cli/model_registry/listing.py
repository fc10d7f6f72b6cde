"""What `registry list`, `show` and `verify` find."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.model_registry.documents import ModelIndex
from tinyml_cli.model_registry.store import Store, registry_step
from tinyml_cli.outcomes.registries import (
    AliasChange,
    RegisteredModel,
    RegistryList,
    RegistryVerified,
    VersionShown,
)
from tinyml_cli.project.gates import number as figure_text
from tinyml_cli.wording import counted


def models(store: Store) -> RegistryList:
    """Every model.

    Raises:
        TinymlError: a damaged index, or a version whose object is missing.
    """
    found = []
    for name in store.names():
        index = store.index(name)
        shown = store.version(index, index.champion or max(index.versions))
        found.append(
            RegisteredModel(
                model=name,
                versions=len(index.versions),
                champion=index.champion,
                challenger=index.challenger,
                task=shown.task,
                figures=shown.figures,
            )
        )
    return RegistryList(registry=str(store.path), models=found)


def show_models(outcome: RegistryList) -> None:
    """The table for people."""
    rows = [
        (
            each.model,
            each.task,
            each.versions,
            each.champion or "",
            each.challenger or "",
            _text(each.figures),
        )
        for each in outcome.models
    ]
    heads = ("model", "task", "versions", "champion", "challenger", "figures")
    console.table(outcome.registry, heads, rows)


def version(store: Store, index: ModelIndex, number: int) -> VersionShown:
    """One version in full.

    Raises:
        TinymlError: its object is missing or was changed.
    """
    known = store.version(index, number)
    return VersionShown(
        number=number,
        aliases=[alias for alias, at in index.aliases().items() if at == number],
        history=[
            AliasChange(
                at=each.at, by=each.by, action=each.action, number=each.number, override=each.override
            )
            for each in index.history
        ],
        **known.model_dump(exclude={"version"}),
    )


def version_text(outcome: VersionShown) -> str:
    """The version for people."""
    pairs = [
        ("version", f"{outcome.model}@{outcome.number} {' '.join(outcome.aliases)}".strip()),
        ("added", outcome.created),
        ("run", outcome.run),
        ("task", outcome.task),
        ("labels", ", ".join(outcome.labels)),
        ("trained by", f"tinyml {outcome.tinyml_version}"),
        ("code", outcome.code or ""),
        ("data", outcome.data_snapshot or ""),
        ("int8", outcome.int8_sha256),
        ("against", "" if outcome.parent is None else f"{outcome.model}@{outcome.parent}"),
        ("figures", _text(outcome.figures)),
        ("files", str(len(outcome.files))),
    ]
    history = [
        f"{each.at} {each.by}: {each.action} {each.number}"
        + (f", by override: {each.override}" if each.override else "")
        for each in outcome.history
    ]
    lines = [f"{name:<10} {value}" for name, value in pairs if value]
    return "\n".join([*lines, "history", *(f"  {line}" for line in history)])


def verify(store: Store) -> RegistryVerified:
    """Reads every byte of the registry."""
    faults = list(store.faults())
    return RegistryVerified(
        registry=str(store.path),
        ok=not faults,
        objects=len(store.objects()),
        faults=faults,
        unnamed=[] if faults else [str(path.relative_to(store.path)) for path in store.unnamed()],
    )


def verified_text(outcome: RegistryVerified) -> str:
    """What `verify` says."""
    if outcome.faults:
        lines = "\n".join(f"  {fault}" for fault in outcome.faults)
        again = registry_step(Path(outcome.registry), "add", "RUN")
        return (
            f"{counted(len(outcome.faults), 'fault')} in {outcome.registry}:\n{lines}\n"
            f"Adding the same run again writes a version's objects again: {again}"
        )
    rest = (
        f" {counted(len(outcome.unnamed), 'object')} of stopped commands lie unused."
        if outcome.unnamed
        else ""
    )
    return f"{outcome.registry}: {counted(outcome.objects, 'object')}, every byte as it was added.{rest}"


def _text(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {figure_text(value)}" for name, value in figures.items())
