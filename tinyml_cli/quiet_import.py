"""Imports TensorFlow and what comes with it, late and without its start-up messages."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyml_cli import temporary
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.silence import silenced


def import_quietly(name: str) -> Any:
    """Imports TensorFlow, Keras or a part of them; their start-up messages stay off the terminal.

    Raises:
        TinymlError: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    temporary.keep_to_own_folder()
    if "tensorflow" not in sys.modules:
        console.info("Loading TensorFlow …")
    try:
        with silenced(), _uncollected():
            return importlib.import_module(name)
    except ImportError as error:
        raise TinymlError(
            f"Training and conversion need TensorFlow ({error})", name, "Run: pip install 'tinyml-cli[train]'"
        ) from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the garbage collector away from what an import makes, which stays for good.

    Looking through it takes a sixth of TensorFlow's import, and a tenth of each conversion.
    """
    was_on, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        if len(sys.modules) > before:
            gc.freeze()
