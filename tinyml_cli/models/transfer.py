"""Transfer learning: a trained network as the start of another, with its classifier or a new one."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from tinyml_cli.errors import TinymlError
from tinyml_cli.models import bounds
from tinyml_cli.models.blocks import classify
from tinyml_cli.models.keras_file import load_keras
from tinyml_cli.recipes.vww import IMAGENET
from tinyml_cli.wording import counted

_CLASSIFIER = "scores"
_APPLICATIONS = {"mobilenet_v1": "MobileNet", "mobilenet_v2": "MobileNetV2"}


def start_from(
    backbone: str,
    input_shape: tuple[int, int, int],
    labels: int,
    name: str = "mobilenet_v1",
    alpha: float = 0.25,
    dropout: float = 0.0,
) -> keras.Model:
    """A model whose classifier is its layer `scores`.

    Args:
        backbone: a .keras or .h5 file, or `imagenet`.
        input_shape: (rows, columns, channels) that the recipe asks for.
        labels: outputs of the softmax.
        name, alpha: which of the networks trained on ImageNet.
        dropout: before a new classifier.

    Returns:
        float32 [batch, *input_shape] -> float32 [batch, labels]. A backbone that ends in a softmax of as many
        outputs is taken whole, any other up to its last map or its pooled features.

    Raises:
        TinymlError: no such file, not a model, another input shape, nothing to build on, or weights that
            cannot be downloaded.
    """
    body = _imagenet(name, input_shape, alpha) if backbone == IMAGENET else _load(Path(backbone))
    _check_input(body, input_shape, backbone)
    last = body.layers[-1]
    if isinstance(last, layers.Dense) and last.units == labels and _is_softmax(last):
        last.name = _CLASSIFIER
        return body
    features = _features(body, backbone)
    if len(features.shape) == 4:
        outputs = classify(features, labels, dropout)
    else:
        x = layers.Dropout(dropout, name="dropout")(features) if dropout else features
        outputs = layers.Dense(labels, activation="softmax", name=_CLASSIFIER)(x)
    return keras.Model(body.inputs, outputs, name="transfer")


def _load(path: Path) -> keras.Model:
    if not path.is_file():
        raise TinymlError(
            "The backbone does not exist", str(path), "Give a .keras or .h5 file, or --backbone imagenet"
        )
    try:
        return load_keras(path)
    except TinymlError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise bounds.no_backbone(path, error) from error


def _imagenet(name: str, input_shape: tuple[int, int, int], alpha: float) -> keras.Model:
    """MobileNet of keras.applications, its inputs being -1..1."""
    try:
        builder = getattr(keras.applications, _APPLICATIONS[name])
        return builder(input_shape=input_shape, alpha=alpha, include_top=False, weights="imagenet")
    except ValueError as error:
        raise TinymlError(
            f"No ImageNet weights for these settings ({error})",
            "--backbone imagenet",
            "Use colours (--rgb) and an alpha of 0.25, 0.5, 0.75 or 1.0 (mobilenet_v2: 0.35 or more).",
        ) from error
    except Exception as error:  # whatever the download raises
        raise TinymlError(
            f"Cannot download the ImageNet weights ({str(error)[:200]})",
            "keras.applications",
            "Check the network, or give a file: --backbone model.h5",
        ) from error


def _check_input(body: keras.Model, input_shape: tuple[int, int, int], backbone: str) -> None:
    if len(body.inputs) != 1 or len(body.outputs) != 1:
        raise TinymlError(
            f"The backbone has {counted(len(body.inputs), 'input')} and "
            f"{counted(len(body.outputs), 'output')}",
            backbone,
            "Use one with a single image input.",
        )
    bounds.check_input_shape(body.inputs[0].shape[1:], input_shape, Path(backbone))


def _is_softmax(layer: layers.Dense) -> bool:
    return layer.activation is keras.activations.softmax


def _features(body: keras.Model, backbone: str) -> keras.KerasTensor:
    """What the classifier of the backbone looked at: its pooled features, else its last map."""
    for layer in reversed(body.layers):
        is_decision = isinstance(layer, layers.Dense | layers.Dropout | layers.Activation | layers.Softmax)
        shape = layer.output.shape
        if not is_decision and len(shape) in (2, 4) and all(shape[1:]):
            return layer.output
    raise TinymlError(
        "The backbone has no features to build on", backbone, "Use a convolutional image network."
    )
