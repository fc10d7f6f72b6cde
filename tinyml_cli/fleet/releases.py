"""From a run or a version of the registry to a release, and from its package to a run that can be built."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import tarfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import temporary
from tinyml_cli.drift.compare import coarse
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.files import atomic_folder
from tinyml_cli.fleet import intake
from tinyml_cli.fleet.messages import MOST_PACKAGE_BYTES, FleetRelease, SelfTest
from tinyml_cli.manifest import Manifest
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import find, write_run
from tinyml_cli.run import MANIFEST, MODEL_INT8, MODEL_STREAM, Run, board_model
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

_INPUTS = 16
_ID_DIGITS = 16


def of_run(run: Run, name: str | None = None) -> tuple[FleetRelease, bytes]:
    """The release of a run's int8 model, and its package: manifest and model, always the same bytes.

    Raises:
        TinymlError: no whole model, or one that is too large.
    """
    manifest = run.manifest()
    files = [board_model(manifest)]
    if MODEL_INT8 not in files:
        files.append(MODEL_INT8)
    contents = {file: run.require(manifest, file).read_bytes() for file in files}
    package = _packed({MANIFEST: _trimmed(manifest, files), **contents})
    if len(package) > MOST_PACKAGE_BYTES:
        raise TinymlError(
            f"The package has {len(package):,} bytes; {MOST_PACKAGE_BYTES:,} are allowed",
            str(run.path),
            "Release a smaller model.",
        )
    digest = hashlib.sha256(package).hexdigest()
    reference = manifest.reference
    return (
        FleetRelease(
            id=digest[:_ID_DIGITS],
            name=name or run.path.resolve().name,
            task=manifest.task,
            labels=manifest.labels,
            model_sha256=manifest.artifacts[files[0]].sha256,
            package_sha256=digest,
            package_bytes=len(package),
            self_test=_self_test(contents, int(digest[:8], 16)),
            reference=None
            if reference is None
            else Reference(of=reference.of, columns={n: coarse(c) for n, c in reference.columns.items()}),
        ),
        package,
    )


def add(table: sqlite3.Connection, known: FleetRelease, package: bytes) -> None:
    """Keeps a release; one that is there stays."""
    table.execute(
        "insert or ignore into releases values (?, ?, ?, ?)",
        (known.id, known.model_dump_json(), package, time.time()),
    )


def named(given: str, registry: Path | None) -> tuple[FleetRelease, bytes]:
    """The release of a run's folder, or of `NAME@VERSION` of the registry.

    Raises:
        TinymlError: neither is there.
    """
    if (Path(given) / MANIFEST).is_file():
        return of_run(Run(Path(given)))
    if "@" not in given and Store.open_if_there(registry) is None:
        raise TinymlError(
            f"`{given}` is no run",
            given,
            "Name a run's folder, or NAME@VERSION of the registry (--registry).",
        )
    store = Store.open(registry)
    index, number = find(store, given)
    with temporary.folder("release") as folder:
        return of_run(write_run(store, store.version(index, number), Path(folder)), f"{index.model}@{number}")


def chosen(table: sqlite3.Connection, given: str) -> FleetRelease | None:
    """The newest release of a name or id that is there."""
    found = [each for each in intake.releases(table) if given in (each.id, each.name)]
    return found[-1] if found else None


def unpacked(known: FleetRelease, package: bytes, folder: Path) -> Run:
    """The run of a package, in a new folder.

    Raises:
        TinymlError: the package is not the release's.
    """
    if hashlib.sha256(package).hexdigest() != known.package_sha256:
        raise TinymlError("The package is not the release's: its SHA-256 differs", known.name, "")
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r:") as archive, atomic_folder(folder) as made:
            for member in archive:
                if not member.isfile() or member.name not in (MANIFEST, MODEL_INT8, MODEL_STREAM):
                    raise TinymlError("The package holds what does not belong there", known.name, "")
                content = archive.extractfile(member)
                assert content is not None
                (made / member.name).write_bytes(content.read())
    except (tarfile.TarError, EOFError) as error:
        raise TinymlError(f"The package cannot be read: {error}", known.name, "") from error
    return Run(folder)


def self_test_inputs(known: FleetRelease, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """The inputs [n, *shape] of a release's self-test."""
    return _inputs(known.self_test.seed, known.self_test.inputs, shape)


def input_shape(run: Run) -> tuple[int, ...]:
    """Of the int8 model, without the batch."""
    graph = parse(run.file(MODEL_INT8).read_bytes(), run.path.name)
    return tuple(graph.tensors[graph.inputs[0]].shape[1:])


def outputs_sha256(outputs: NDArray[np.int8]) -> str:
    """By which a self-test's answers are compared."""
    return hashlib.sha256(np.ascontiguousarray(outputs, np.int8).tobytes()).hexdigest()


def _self_test(contents: dict[str, bytes], seed: int) -> SelfTest:
    """A streaming model keeps a state between inputs, and is tested by its hash alone."""
    model = contents[MODEL_INT8]
    graph = parse(model, MODEL_INT8)
    inputs = 0 if MODEL_STREAM in contents else _INPUTS
    shape = tuple(graph.tensors[graph.inputs[0]].shape[1:])
    answers = interpret.run_int8(model, _inputs(seed, inputs, shape)) if inputs else np.empty(0, np.int8)
    return SelfTest(seed=seed, inputs=inputs, outputs_sha256=outputs_sha256(answers))


def _inputs(seed: int, count: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
    return np.random.default_rng(seed).integers(-128, 128, (count, *shape), np.int8)


def _trimmed(manifest: Manifest, files: list[str]) -> bytes:
    """The manifest with the artifacts of the package alone."""
    kept = {name: manifest.artifacts[name].model_copy(update={"made_from": {}}) for name in sorted(files)}
    changes = {"artifacts": kept, "firmware": {}, "exports": {}, "metrics": {}}
    return manifest.model_copy(update=changes).model_dump_json(exclude_defaults=False).encode()


def _packed(contents: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
