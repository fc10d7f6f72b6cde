"""Opens a trained network for the converter: a Keras file or a SavedModel folder."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.models.keras_file import KERAS_SUFFIXES
from tinyml_cli.models.keras_source import KerasSource
from tinyml_cli.models.saved_model_source import SavedModelSource
from tinyml_cli.models.source_network import SourceNetwork

SAVED_MODEL_FILE = "saved_model.pb"


def is_source(path: Path) -> bool:
    """Whether a path is a model that `open_source` reads: a Keras file or a SavedModel folder."""
    if path.is_dir():
        return (path / SAVED_MODEL_FILE).is_file()
    return path.suffix.lower() in KERAS_SUFFIXES


def open_source(path: Path, signature: str | None = None) -> SourceNetwork:
    """Loads a network.

    Args:
        signature: which function of a SavedModel; None for its only one or its default.

    Raises:
        TinymlError: TensorFlow is not installed, the file is not a model that it can load, or a SavedModel
            does not have the signature, or several and no default.
    """
    if signature is not None and not path.is_dir():
        raise TinymlError("A Keras file has one signature", "--signature", "Leave it out.")
    source = SavedModelSource(path, signature) if path.is_dir() else KerasSource(path)
    for each in source.inputs:
        if each.dtype not in ("float32", "int32", "int64"):
            raise TinymlError(
                f"The input {each} is neither float32 nor an integer",
                str(path),
                "Cast it inside the model, so that the input is float32.",
            )
    return source
