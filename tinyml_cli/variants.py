"""Variants of a run: runs inside a run, each with a model derived from the run's own."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli import undo
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import LATEST, MANIFEST, MODEL, RECIPE, VARIANTS, Run

STEPS = "compression"
"""The key of manifest.metrics that lists what was done to the model, first step first."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


def check_name(name: str) -> str:
    """A name that is safe as a folder on every system.

    Raises:
        TinymlError: it is not.
    """
    if not _NAME.match(name) or name == LATEST:
        raise TinymlError(
            f"`{name}` is not a valid variant name",
            "--as",
            "Use letters, digits, hyphens and dots.",
        )
    return name


def parent_of(run: Run) -> Run:
    """The run that a variant belongs to; the run itself where it is no variant."""
    return Run(run.root)


def root_of(path: str) -> str:
    """The path of the run that a variant's path leads to."""
    return str(parent_of(Run(Path(path))).path)


@contextlib.contextmanager
def making(run: Run, name: str) -> Iterator[Run]:
    """A variant while it is made: its run is locked, and nothing new is left when the block fails.

    One that was made before under this name no longer counts as made until a manifest is saved, or until
    the block fails before any of its artifacts was replaced.

    Args:
        run: a trained run, or a variant of one: its variants lie beside it.
        name: of the folder below `variants/`.

    Raises:
        TinymlError: an unusable name, or the run's own; another process writes to the run.
    """
    variant = Run(parent_of(run).path / VARIANTS / check_name(name))
    if variant.path.resolve() == run.path.resolve():
        raise TinymlError(
            "A variant cannot be made from itself", str(run.path), "Give another name with --as."
        )
    with variant.making(latest=False):
        earlier = variant.file(MANIFEST).read_bytes() if variant.file(MANIFEST).is_file() else None
        variant.file(MANIFEST).unlink(missing_ok=True)

        def restore() -> None:
            if earlier is not None and not variant.file(MANIFEST).exists():
                write_atomic(variant.file(MANIFEST), earlier)

        with undo.if_it_fails(restore):
            yield variant


def start(run: Run, variant: Run) -> Manifest:
    """Copies all that the run's training left but the model to its variant.

    Returns a copy of the run's manifest, without what later stages entered, to go on with and to save.

    Raises:
        TinymlError: a run that lacks something that its training left.
    """
    manifest = run.manifest()
    run.require(manifest, MODEL)
    kept = {
        name: entry
        for name, entry in manifest.artifacts.items()
        if name != MODEL and entry.made_by == manifest.artifacts[MODEL].made_by and not entry.made_from
    }
    for artifact in kept:
        _copy(run.require(manifest, artifact), variant.file(artifact))
    if run.file(RECIPE).is_file():
        _copy(run.file(RECIPE), variant.file(RECIPE))
    known = manifest.metrics
    return manifest.model_copy(
        update={
            "artifacts": kept,
            "quantization": None,
            "ops": [],
            "arena_bytes": {},
            "exports": {},
            "firmware": {},
            "metrics": {name: known[name] for name in ("train", STEPS) if name in known},
        }
    )


def copy_model(run: Run, variant: Run, manifest: Manifest) -> None:
    """Gives a variant the run's own model, and enters it into the variant's manifest."""
    whole = run.manifest()
    _copy(run.require(whole, MODEL), variant.file(MODEL))
    manifest.artifacts[MODEL] = whole.artifacts[MODEL]


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
