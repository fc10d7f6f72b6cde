"""Variants of a run: runs inside a run, each with a model derived from the run's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, atomic_path
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.base import Outcome
from tinyml_cli.run import MODEL, RECIPE, Run
from tinyml_cli.run_folder import LATEST, VARIANTS

STEPS = "compression"
"""The key of manifest.metrics that lists what was done to the model, first step first."""

Made = TypeVar("Made", bound=Outcome)

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


def place_of(run: Run, name: str) -> Run:
    """The variant of a name, there or not.

    Args:
        run: a trained run, or a variant of one: its variants lie beside it.
        name: of the folder below `variants/`.

    Raises:
        TinymlError: an unusable name, or the run's own.
    """
    variant = Run(parent_of(run).path / VARIANTS / check_name(name))
    if variant.path.resolve() == run.path.resolve():
        raise TinymlError(
            "A variant cannot be made from itself", str(run.path), "Give another name with --as."
        )
    return variant


def make(run: Run, name: str, work: Callable[[Run], Made]) -> Made:
    """Makes a variant; one that was made before under this name stays whole until the new one is.

    Args:
        run: as in `place_of`, and locked meanwhile.
        name: as in `place_of`.
        work: makes the variant in a hidden folder. What it returns, or raises, names the variant's own.

    Raises:
        TinymlError: as in `place_of`, or another process writes to the run.
    """
    variant, hidden = place_of(run, name), ""
    try:
        with parent_of(run).writing(), atomic_folder(variant.path) as folder:
            hidden = str(folder.relative_to(variant.path.parent))
            outcome = work(Run(folder))
    except TinymlError as error:
        if not hidden:
            raise
        texts = (error.what, error.where, error.next_step)
        raise TinymlError(*(text.replace(hidden, name) for text in texts)) from error
    return type(outcome).model_validate(_renamed(outcome.as_dict(), hidden, name))


def _renamed(value: Any, hidden: str, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, hidden, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, hidden, name) for item in value]
    return value.replace(hidden, name) if isinstance(value, str) else value


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
