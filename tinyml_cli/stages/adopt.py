"""Runs for models without one: a .tflite file becomes a run directory."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from pathlib import Path

from tinyml_cli import locks, undo
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import missing_parents, remove_empty, write_atomic
from tinyml_cli.manifest import MODEL_TASK, Manifest
from tinyml_cli.next_step import next_step
from tinyml_cli.run import MANIFEST, MODEL_INT8, Run, runs_dir
from tinyml_cli.run_folder import latest_path


def open_run(given: str | Path | None = None, signature: str | None = None) -> Run:
    """Finds a run as `Run.open` does; the path of a .tflite file makes a run of that model.

    Args:
        signature: which of a file with several is meant.

    The run is `runs/<stem>-<first 8 digits of its SHA-256>`; the same bytes lead to the same run again,
    whatever the file is called and wherever it lies.

    Raises:
        TinymlError: there is no such run, the file is no TensorFlow Lite model, is compiled for an
            accelerator, has several signatures of which none is chosen, or the runs folder cannot be written.
    """
    if given is None or not Path(given).is_file():
        if signature is not None:
            raise TinymlError("A run has one signature", "--signature", "Give the .tflite file instead.")
        return Run.open(given)
    path = Path(given)
    from tinyml_cli.tflite import graph
    from tinyml_cli.tflite.opset import refuse_compiled
    from tinyml_cli.tflite.signature import choose
    from tinyml_cli.tflite.unsigned import to_signed

    data = read(path)
    if path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        raise TinymlError(
            "This is a Keras model, not a TensorFlow Lite model",
            str(path),
            f"Convert it first: {next_step('convert', path, '--calibration', 'DATA')}",
        )
    refuse_compiled(graph.parse(data, str(path)), str(path))
    data = to_signed(choose(data, signature, str(path)), str(path))
    digest = hashlib.sha256(data).hexdigest()
    run = at(_known(digest) or free_path(path, digest))
    if _holds(run, digest):
        run.make_latest()
        return run
    earlier = latest_path()
    missing = missing_parents(run.path)
    with run.making(wait=True):
        write_atomic(run.file(MODEL_INT8), data)
        manifest = Manifest(task=MODEL_TASK, seed=0)
        manifest.metrics["source"] = {"path": path.name, "sha256": digest}
        run.record(manifest, MODEL_INT8, f"tinyml … {path.name}")
        run.save(manifest)
    undo.if_command_fails(functools.partial(_forget, run, manifest, earlier, missing))
    return run


def _forget(run: Run, manifest: Manifest, earlier: Path | None, missing: list[Path]) -> None:
    """Removes the run of a command that failed before it made anything of the model."""
    with contextlib.suppress(TinymlError, OSError):
        there = {path.name for path in run.path.iterdir()} - set(locks.NAMES)
        if there == {MODEL_INT8, MANIFEST} and run.manifest() == manifest:
            run.remove()
            remove_empty(missing)
            if earlier is not None:
                Run(earlier).make_latest()


def read(path: Path) -> bytes:
    """The bytes of a user's model.

    Raises:
        TinymlError: they cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"Cannot read the model: {error.strerror}", str(path), "Check the path and its permissions."
        ) from error


def free_path(path: Path, digest: str) -> Path:
    """Where the run of a model belongs; more digits where another run has that name."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.resolve().stem).strip(".")[:40] or "model"
    short = runs_dir() / f"{stem}-{digest[:8]}"
    if not short.exists():
        return short
    try:
        mine = Run(short).manifest().metrics.get("source", {}).get("sha256") == digest
    except (TinymlError, AttributeError):
        mine = False
    return short if mine else runs_dir() / f"{stem}-{digest}"


def at(path: Path) -> Run:
    """The run that is to be made in the folder of runs.

    Raises:
        TinymlError: the folder cannot be written.
    """
    try:
        return Run.at(path)
    except TinymlError as error:
        raise TinymlError(
            error.what, error.where, "Make the runs folder writable, or set TINYML_RUNS to another folder."
        ) from error


def _known(digest: str) -> Path | None:
    """An adopted run of the same bytes under another name."""
    for path in sorted(runs_dir().glob(f"*-{digest[:8]}")):
        if _holds(Run(path), digest):
            return path
    return None


def _holds(run: Run, digest: str) -> bool:
    """Whether it is the run of a bare model of these bytes, whole."""
    try:
        manifest = run.manifest()
    except TinymlError:
        return False
    entry = manifest.artifacts.get(MODEL_INT8)
    return (
        not manifest.has_task
        and entry is not None
        and entry.sha256 == digest
        and run.is_fresh(manifest, MODEL_INT8)
    )
