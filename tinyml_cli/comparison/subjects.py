"""The models of a comparison: every flatbuffer of the named runs and their variants, and single files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.run import MANIFEST, Run
from tinyml_cli.run_folder import VARIANTS
from tinyml_cli.stages import adopt

_FLATBUFFER = re.compile(r"^model_(\w+)\.tflite$")
# As they are listed: from the trained network to what runs on the board.
_ORDER = ("float32", "float16", "dynamic", "int16x8", "int8")


@dataclass(frozen=True)
class ComparedModel:
    """One model.

    Attributes:
        name: as tables call it, "kws-yes-no int8" or "kws-yes-no/pruned-70 int8".
        kind: "float32", "float16", "dynamic", "int16x8", "int8", or "file" for a lone file.
        path: the flatbuffer.
        data: its bytes.
        sha256: of them.
        run: whose it is; None for a lone file.
    """

    name: str
    kind: str
    path: Path
    data: bytes
    sha256: str
    run: Run | None


def find(given: Sequence[str]) -> list[ComparedModel]:
    """The models that arguments name; no argument names the latest run.

    Raises:
        TinymlError: there is no such run or file, a run has no flatbuffer yet, or one that is stale.
    """
    found: list[ComparedModel] = []
    arguments: Sequence[str | None] = given or [None]
    for argument in arguments:
        path = None if argument is None else Path(argument)
        found += [_lone(path)] if path is not None and path.is_file() else _of_run(Run.open(argument))
    unique: dict[tuple[Path, str], ComparedModel] = {}
    for subject in found:
        key = subject.path.resolve(), subject.sha256
        # A run's own file, given as a file beside it, stays the run's.
        if subject.run is not None or key not in unique:
            unique[key] = subject
    return _distinct(list(unique.values()))


def _lone(path: Path) -> ComparedModel:
    import hashlib

    from tinyml_cli.tflite import graph

    data = adopt.read(path)
    graph.parse(data, str(path))
    return ComparedModel(path.stem, "file", path, data, hashlib.sha256(data).hexdigest(), None)


def _of_run(run: Run) -> list[ComparedModel]:
    if not run.manifest(partial=True).complete:
        console.warn(f"the training of {run.path} was interrupted: its figures understate the model")
        run = Run(run.path, accepts_partial=True)
    name = run.path.resolve().name
    subjects = _flatbuffers(run, name)
    for folder in sorted((run.path / VARIANTS).glob("*")):
        if (folder / MANIFEST).is_file():
            subjects += _flatbuffers(Run(folder, run.accepts_partial), f"{name}/{folder.name}")
    if not subjects:
        raise TinymlError(
            "The run has no converted model to compare",
            str(run.path),
            f"Run `{next_step('convert', run.path)}` first.",
        )
    return subjects


def _flatbuffers(run: Run, name: str) -> list[ComparedModel]:
    manifest = run.manifest()
    kinds = {found[1]: entry for entry in manifest.artifacts if (found := _FLATBUFFER.match(entry))}
    subjects = []
    for kind in sorted(kinds, key=lambda kind: (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), kind)):
        path = run.require(manifest, kinds[kind])
        sha256 = manifest.artifacts[kinds[kind]].sha256
        subjects.append(ComparedModel(f"{name} {kind}", kind, path, path.read_bytes(), sha256, run))
    return subjects


def _distinct(subjects: list[ComparedModel]) -> list[ComparedModel]:
    """Runs of equal names in different folders are told apart by number."""
    counts: dict[str, int] = {}
    distinct = []
    for subject in subjects:
        counts[subject.name] = counts.get(subject.name, 0) + 1
        again = counts[subject.name]
        name = subject.name if again == 1 else f"{subject.name} ({again})"
        distinct.append(
            ComparedModel(name, *(getattr(subject, key) for key in ("kind", "path", "data", "sha256", "run")))
        )
    return distinct
