"""Keras architectures by name. TensorFlow is imported when a model is built, not before."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tinyml_cli import temporary
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.silence import silenced

if TYPE_CHECKING:
    import keras

# name -> module with `build(input_shape, labels, **options)`, by what the networks take
_SPEECH = {
    "ds_cnn": "tinyml_cli.models.ds_cnn",
    "tiny_conv": "tinyml_cli.models.tiny_conv",
    "conv1d_sep": "tinyml_cli.models.conv1d_sep",
    "bc_resnet": "tinyml_cli.models.bc_resnet",
    "stream_conv": "tinyml_cli.models.stream_conv",
}
_IMAGES = {
    "mobilenet_v1": "tinyml_cli.models.mobilenet_v1",
    "mobilenet_v2": "tinyml_cli.models.mobilenet_v2",
    "vww_micro": "tinyml_cli.models.vww_micro",
}
_MOTION = {
    "motion_conv": "tinyml_cli.models.motion_conv",
    "stroke_cnn": "tinyml_cli.models.stroke_cnn",
}
ARCHITECTURES = {**_SPEECH, **_IMAGES, **_MOTION}

STREAMING = ("stream_conv",)
"""Architectures that a board computes frame by frame."""


def architectures(task: str) -> tuple[str, ...]:
    """The networks that a task's inputs fit; all of them for a task of another package."""
    fitting = {"kws": _SPEECH, "vww": _IMAGES, "mask": _IMAGES, "wand": _MOTION}
    return tuple(fitting.get(task, ARCHITECTURES))


def build_model(name: str, input_shape: tuple[int, ...], labels: int, options: dict[str, Any]) -> keras.Model:
    """Builds an untrained model.

    Args:
        name: architecture, as in the recipe.
        input_shape: shape of one example.
        labels: number of outputs of the softmax.
        options: keyword arguments of the architecture.

    Raises:
        TinymlError: no such architecture, an option it does not have, or TensorFlow is missing.
    """
    from tinyml_cli.models.options import check

    check(name, options, "model.name")
    require_tensorflow()
    build = importlib.import_module(ARCHITECTURES[name]).build
    try:
        model: keras.Model = build(input_shape, labels, **options)
    except (TypeError, ValueError) as error:
        raise TinymlError(
            f"Cannot build the model ({error})", "model.options", "For an example: tinyml recipes show kws"
        ) from error
    return model


def require_tensorflow() -> None:
    """Imports TensorFlow and Keras, quietly.

    Raises:
        TinymlError: they are not installed.
    """
    import_quietly("tensorflow")
    import_quietly("keras")


def import_quietly(name: str) -> Any:
    """Imports TensorFlow, Keras or a part of them; their start-up messages stay off the terminal.

    Raises:
        TinymlError: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    temporary.keep_to_own_folder()
    if name != "h5py" and "tensorflow" not in sys.modules:
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


def count_macs(model: keras.Model) -> int:
    """Multiply-accumulates of one inference: convolutions and dense layers, nothing else."""
    import keras

    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D):
            height, width = layer.output.shape[1:3]
            total += height * width * _kernel_size(layer)
        elif isinstance(layer, keras.layers.Dense):
            total += _kernel_size(layer)
    return total


def _kernel_size(layer: Any) -> int:
    size = 1
    for length in layer.kernel.shape:
        size *= int(length)
    return size
