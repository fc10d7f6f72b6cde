"""`registry export --mlflow`: a version as a registered model of MLflow, with the aliases it has here."""

from __future__ import annotations

import datetime
from pathlib import Path

from tinyml_cli import temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.model_registry.documents import CHALLENGER, CHAMPION, ModelIndex
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import write_run
from tinyml_cli.outcomes.registries import VersionRegistered
from tinyml_cli.tracking import delivery, journal
from tinyml_cli.tracking.figures import name_of
from tinyml_cli.tracking.journal import JournalWriter
from tinyml_cli.tracking.recorder import PRIVATE
from tinyml_cli.tracking.target import of_environment


def register(store: Store, index: ModelIndex, number: int) -> VersionRegistered:
    """Registers a version; one that is there keeps its number in MLflow, and gets its aliases.

    Raises:
        TinymlError: an object is missing or was changed; MLflow is not installed or did not take it.
    """
    target, version = of_environment(), store.version(index, number)
    aliases = {alias: index.aliases().get(alias) == number for alias in (CHAMPION, CHALLENGER)}
    known = {
        "tinyml.registry_version": str(number),
        "tinyml.int8_sha256": version.int8_sha256,
        "tinyml.data_snapshot": version.data_snapshot,
        "tinyml.version": version.tinyml_version,
        "mlflow.source.git.commit": version.code,
    }
    tags = {key: value for key, value in known.items() if value is not None}
    at_ms = int(datetime.datetime.fromisoformat(version.created).timestamp() * 1000)
    with temporary.folder("mlflow") as folder:
        run = write_run(store, version, Path(folder, "run"))
        begin = {"title": f"{index.model}@{number}", "parent": "", "tags": tags}
        writer = JournalWriter(Path(folder, "spool"), index.versions[number][:32], target, begin)
        figures = {f"registry/{name_of(name)}": value for name, value in version.figures.items()}
        writer.write(journal.METRICS, metrics=figures, step=0, at_ms=at_ms)
        hashes = {name_of(f"tinyml.sha256.{name}"): sha256 for name, sha256 in version.files.items()}
        writer.write(journal.TAGS, tags=hashes)
        for name in version.files:
            if not PRIVATE.match(name):
                writer.add_file(run.file(name), name)
        writer.write(journal.REGISTER, model=index.model, tags=tags, aliases=aliases)
        writer.write(journal.END, status=journal.FINISHED, at_ms=at_ms)
        writer.close()
        delivery.send_all(Path(folder, "spool"))
        if left := journal.journals(Path(folder, "spool")):
            raise TinymlError(
                f"MLflow did not take the version: {left[0].sent().error or 'it takes too long'}",
                str(target),
                "Run the same command again: what MLflow has already is not sent twice.",
            )
    return VersionRegistered(
        model=index.model,
        number=number,
        target=str(target),
        aliases=[alias for alias, holds in aliases.items() if holds],
        int8_sha256=version.int8_sha256,
    )


def sentence(outcome: VersionRegistered) -> str:
    """The outcome in a line."""
    alias = f", alias {' and '.join(outcome.aliases)}" if outcome.aliases else ""
    return f"{outcome.model}@{outcome.number} is registered in MLflow{alias}: {outcome.target}"
