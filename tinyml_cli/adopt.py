"""Runs for models that come without one: a .tflite file becomes a run directory."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_INT8, Run, runs_dir

MODEL_TASK = "model"
"""Manifest.task of a run that knows nothing but its model."""


def open_run(given: str | Path | None = None) -> Run:
    """Finds a run as `Run.open` does; the path of a .tflite file makes a run of that model.

    The run is `runs/<stem>-<first 8 digits of its SHA-256>`; the same bytes lead to the same run again.

    Raises:
        TinymlError: there is no such run, or the file is no TensorFlow Lite model.
    """
    if given is None or not Path(given).is_file():
        return Run.open(given)
    path = Path(given)
    from tinyml_cli.tflite import graph

    try:
        data = path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"The model cannot be read: {error.strerror}", str(path), "Check its permissions."
        ) from error
    graph.parse(data, str(path))
    digest = hashlib.sha256(data).hexdigest()
    run = Run.create(runs_dir() / f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', path.stem)[:40]}-{digest[:8]}")
    if run.file("manifest.json").is_file() and run.is_fresh(run.manifest(), MODEL_INT8):
        return run
    write_atomic(run.file(MODEL_INT8), data)
    manifest = Manifest(task=MODEL_TASK, seed=0)
    run.record(manifest, MODEL_INT8, f"tinyml … {path.name}")
    run.save(manifest)
    return run
