"""Keras architectures by name. TensorFlow is imported when a model is built, not before."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.models.architectures import ARCHITECTURES
from tinyml_cli.quiet_import import import_quietly

if TYPE_CHECKING:
    import keras


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
    from tinyml_cli.models.options import check  # pydantic is slow to load, and completion needs only names

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
