"""Reads .keras and HDF5 files, and says why one cannot be read."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.models import bounds
from tinyml_cli.models.legacy import mended
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.silence import silenced

HDF5_SUFFIXES = (".h5", ".hdf5")
KERAS_SUFFIXES = (".keras", *HDF5_SUFFIXES)

_UNKNOWN = re.compile(r"(?:Unknown layer|[Cc]ould not locate (?:class|function))[^'`]*['`]([\w>.]+)")
_REFUSED = re.compile(r"arguments? passed to (\w+): (\{[^}]*\})")
_EXPORT = "Where it was trained, export it as a folder, model.export('folder'), and convert that."


def load_keras(path: Path) -> Any:
    """The model of a .keras or HDF5 file, without its optimiser.

    Raises:
        TinymlError: it would take too much memory, or TensorFlow is not installed.
        Exception: of nearly every kind, on files that Keras did not write.
    """
    held_bytes = bounds.check_keras(path)
    keras = import_quietly("keras")
    with _readable(path) as readable, bounds.bounded_weights(path, held_bytes), silenced():
        return keras.saving.load_model(readable, compile=False)


def not_loaded(error: Exception, path: Path) -> TinymlError:
    """Keras' errors run over pages; what helps is which layer, and the way around it."""
    message = str(error)
    if unknown := _UNKNOWN.search(message):
        return TinymlError(f"Keras does not know the layer `{unknown[1]}` of this model", str(path), _EXPORT)
    if refused := _REFUSED.search(message):
        reason = f"its {refused[1]} was saved with {refused[2]}, which this Keras does not accept"
        return TinymlError(f"Cannot load the model: {reason}", str(path), _EXPORT)
    if "Lambda" in message or "unsafe" in message:
        return TinymlError(
            "The model has a Lambda layer, which contains Python code and is not loaded", str(path), _EXPORT
        )
    if "parent module" in message:
        return TinymlError(
            "The .keras file was written by Keras 2 or contains classes that are not installed here",
            str(path),
            "Where it was trained, save it as HDF5, model.save('model.h5'), and convert that.",
        )
    if "No model config" in message:
        return TinymlError(
            "The file contains weights without a model", str(path), "Save the whole model: model.save(…)."
        )
    lines = message.strip().splitlines() or ["no reason given"]
    # A layer that this Keras cannot rebuild raises one of these; damaged files raise the rest.
    understood = isinstance(error, TypeError | ValueError | AttributeError | NotImplementedError)
    return TinymlError(
        f"Cannot load the model ({type(error).__name__}: {lines[0][:300]})",
        str(path),
        _EXPORT if understood and _is_whole(path) else "Check that the copy is complete.",
    )


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[Path]:
    if path.suffix.lower() in HDF5_SUFFIXES:
        with mended(path) as copy:
            yield copy
    else:
        yield path


def _is_whole(path: Path) -> bool:
    """Whether a Keras file is the archive that its name promises."""
    if path.suffix.lower() in HDF5_SUFFIXES:
        return bool(import_quietly("h5py").is_hdf5(path))
    return zipfile.is_zipfile(path)
