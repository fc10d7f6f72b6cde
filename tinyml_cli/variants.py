"""Variants of a run: runs inside a run, each with a model that was made from the run's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MANIFEST, MODEL, RECIPE, Run

VARIANTS = "variants"
STEPS = "compression"
"""The key of manifest.metrics that lists what was done to the model, first step first."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


def check_name(name: str) -> str:
    """A name that is safe as a folder on every system.

    Raises:
        TinymlError: it is not.
    """
    if not _NAME.match(name) or name == "latest":
        raise TinymlError(
            f"`{name}` is not usable as the name of a variant",
            "--as",
            "Use letters, digits, hyphens and dots.",
        )
    return name


def parent_of(run: Run) -> Run:
    """The run that a variant belongs to; the run itself where it is no variant."""
    path = run.path.resolve()
    is_variant = path.parent.name == VARIANTS and (path.parent.parent / MANIFEST).is_file()
    return Run(path.parent.parent) if is_variant else run


def root_of(path: str) -> str:
    """The path of the run that a variant's path leads to."""
    return str(parent_of(Run(Path(path))).path)


def empty(run: Run, name: str) -> Run:
    """Makes a variant's folder; one of this name no longer counts as made.

    Raises:
        TinymlError: an unusable name, or the run's own.
    """
    variant = Run(parent_of(run).path / VARIANTS / check_name(name))
    if variant.path.resolve() == run.path.resolve():
        raise TinymlError("A variant cannot be made of itself", str(run.path), "Give another name with --as.")
    variant.path.mkdir(parents=True, exist_ok=True)
    variant.file(MANIFEST).unlink(missing_ok=True)
    return variant


def create(run: Run, name: str) -> tuple[Run, Manifest]:
    """Makes the variant's folder with all that training left but the model, and a manifest to go on with.

    The folder has no manifest until the caller saves one, so that a variant that was cut off counts as
    not made. Returns the variant and a copy of the run's manifest without what later stages entered.

    Args:
        run: a trained run, or a variant of one: its variants lie beside it.
        name: of the folder below `variants/`.

    Raises:
        TinymlError: an unusable name, or a run that lacks something that its training left.
    """
    manifest = run.manifest()
    run.require(manifest, MODEL)
    variant = empty(run, name)
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
    started = manifest.model_copy(
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
    return variant, started


def copy_model(run: Run, variant: Run, manifest: Manifest) -> None:
    """Gives a variant the run's own model, and enters it into the variant's manifest."""
    whole = run.manifest()
    _copy(run.require(whole, MODEL), variant.file(MODEL))
    manifest.artifacts[MODEL] = whole.artifacts[MODEL]


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
