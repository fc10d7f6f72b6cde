"""A Keras network without batch normalisation, and the converter's treatment of each layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers as kl

from tinyml_cli.errors import TinymlError

_WEIGHTED = (kl.Conv2D, kl.DepthwiseConv2D, kl.Conv1D, kl.Dense)
# int8 kernels hand these on with the scale of their input, or with a scale that never varies.
_SAME_SCALE = (
    kl.Flatten, kl.Reshape, kl.Dropout, kl.MaxPooling2D, kl.AveragePooling2D, kl.ZeroPadding2D,
    kl.MaxPooling1D, kl.AveragePooling1D, kl.UpSampling2D, kl.Permute, kl.Softmax, kl.InputLayer,
    kl.SpatialDropout2D,
)  # fmt: skip
_FUSED = ("relu", "relu6")
_FIXED_SCALE = ("softmax", "sigmoid", "tanh")

Clone = Callable[[Any], Any]


@dataclass(frozen=True)
class RangePlan:
    """Where ranges of activations arise.

    Attributes:
        ranged: layer -> name of its range: what the converted model calls the operator.
        pooled: average pooling -> the layer whose range it rounds to.
        weighted: names of layers with a kernel.
    """

    ranged: dict[str, str] = field(default_factory=dict)
    pooled: dict[str, str] = field(default_factory=dict)
    weighted: tuple[str, ...] = ()


def kernel_of(layer: Any) -> Any:
    """The layer's weights without the bias; None for a layer without."""
    return getattr(layer, "kernel", None) if isinstance(layer, _WEIGHTED) else None


def fold(model: keras.Model) -> keras.Model:
    """The same function without BatchNormalization, and with activations that do not fuse as own layers.

    B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", arXiv:1712.05877, section 3.2: w' = gamma w / sqrt(var + eps),
    b' = beta + gamma (b - mean) / sqrt(var + eps).

    Raises:
        TinymlError: a model that is no graph of layers, or a normalisation that follows no convolution.
    """
    model = _functional(model)
    norms = _normalisations(model)
    following = {source: norm for norm, source in norms.items()}

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in following:
            config["use_bias"] = True
        if isinstance(layer, _WEIGHTED) and config["activation"] not in ("linear", *_FUSED):
            config["activation"] = "linear"
        return type(layer).from_config(config)

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if layer.name in norms:
            return inputs[0]
        output = layer(*inputs, **options)
        activation = _activation(model.get_layer(layer.name))
        if isinstance(layer, _WEIGHTED) and activation not in ("linear", *_FUSED):
            output = kl.Activation(activation, name=f"{layer.name}_{activation}")(output)
        return output

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in folded.layers:
        if layer.name in {each.name for each in model.layers} and layer.get_weights():
            norm = following.get(layer.name)
            original = model.get_layer(layer.name)
            layer.set_weights(
                original.get_weights() if norm is None else _folded(original, model.get_layer(norm))
            )
    return folded


def rebuild(
    model: keras.Model, clone: Clone, wrap: Callable[[str, Any], Any], entry: Any | None = None
) -> keras.Model:
    """A copy of a folded model with other layers in place of its own, and something behind some of them.

    Args:
        model: folded.
        clone: layer -> the layer in its place, of the same name.
        wrap: name of a layer and its output -> what goes on in the output's place.
        entry: a layer that the input passes first.
    """
    source = model.inputs[0]._keras_history.operation.name
    first = {layer.name for layer in readers_of(model).get(source, [])} if entry is not None else set()

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if layer.name in first and entry is not None:
            inputs = (entry(inputs[0]), *inputs[1:])
        return wrap(layer.name, layer(*inputs, **options))

    return keras.models.clone_model(model, clone_function=clone, call_function=call)


def plan(model: keras.Model) -> RangePlan:
    """Where the converter of a folded model will ask for a range."""
    readers = readers_of(model)
    ranged: dict[str, str] = {}
    for layer in model.layers:
        if isinstance(layer, _SAME_SCALE) or _activation(layer) in _FIXED_SCALE:
            continue
        next_layers = readers.get(layer.name, [])
        if not _is_relu(layer) and len(next_layers) == 1 and _is_relu(next_layers[0]):
            continue
        ranged[layer.name] = layer.name
        source = _source(layer)
        if _is_relu(layer) and source is not None and len(readers.get(source.name, [])) == 1:
            fuses = not isinstance(source, _SAME_SCALE)
            ranged[layer.name] = source.name if fuses else layer.name
    weighted = tuple(layer.name for layer in model.layers if isinstance(layer, _WEIGHTED))
    pooled = {
        layer.name: above.name
        for layer in model.layers
        if isinstance(layer, kl.AveragePooling2D | kl.AveragePooling1D)
        and (above := _first_ranged(layer, ranged)) is not None
    }
    return RangePlan(ranged, pooled, weighted)


def _first_ranged(layer: Any, ranged: dict[str, str]) -> Any | None:
    """The layer above that has a range, through those that hand it on."""
    above = _source(layer)
    while above is not None and above.name not in ranged:
        above = _source(above)
    return above


def _functional(model: keras.Model) -> keras.Model:
    if not getattr(model, "inputs", None):
        raise TinymlError(
            "The model is not a graph of layers, so its layers cannot be changed",
            "model.keras",
            "Build it from layers: keras.Model(inputs, outputs).",
        )
    return keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model


def _normalisations(model: keras.Model) -> dict[str, str]:
    """Name of each BatchNormalization -> the layer that takes it in."""
    readers = readers_of(model)
    found = {}
    for layer in model.layers:
        if not isinstance(layer, kl.BatchNormalization):
            continue
        source = _source(layer)
        if (
            not isinstance(source, _WEIGHTED)
            or len(readers[source.name]) != 1
            or _activation(source) != "linear"
        ):
            raise TinymlError(
                f"The normalisation `{layer.name}` does not directly follow a convolution or Dense layer",
                "model.keras",
                "Put it after the convolution, before the activation.",
            )
        found[layer.name] = source.name
    return found


def _folded(layer: Any, norm: Any) -> list[Any]:
    """Kernel and bias with the normalisation inside."""
    kernel = np.asarray(layer.kernel)
    channels = norm.moving_mean.shape[0]
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(channels, np.float32)
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones(channels, np.float32)
    beta = np.asarray(norm.beta) if norm.center else np.zeros(channels, np.float32)
    factor = gamma / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    shape = kernel.shape[-2:] if isinstance(layer, kl.DepthwiseConv2D) else (channels,)
    return [kernel * factor.reshape(shape), beta + (bias - np.asarray(norm.moving_mean)) * factor]


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", "linear"))


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, kl.ReLU):
        return True
    return isinstance(layer, kl.Activation) and _activation(layer) in _FUSED


def _source(layer: Any) -> Any | None:
    """The one layer that a layer reads; None for inputs and for layers with several."""
    parents = layer._inbound_nodes[0].parent_nodes
    return parents[0].operation if len(parents) == 1 else None


def readers_of(model: keras.Model) -> dict[str, list[Any]]:
    """Name of each layer -> the layers that read its output."""
    readers: dict[str, list[Any]] = {}
    for layer in model.layers:
        for parent in layer._inbound_nodes[0].parent_nodes:
            readers.setdefault(parent.operation.name, []).append(layer)
    return readers
