"""Structured pruning: removes whole channels, so every tensor and the time of every kernel shrinks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers as kl

from tinyml_cli.errors import TinymlError
from tinyml_cli.training import network

# Between a layer and the next these keep each channel for itself.
_PER_CHANNEL = (
    kl.ReLU, kl.Activation, kl.Dropout, kl.SpatialDropout2D, kl.MaxPooling2D, kl.AveragePooling2D,
    kl.GlobalAveragePooling2D, kl.GlobalMaxPooling2D, kl.ZeroPadding2D, kl.MaxPooling1D, kl.AveragePooling1D,
    kl.GlobalAveragePooling1D, kl.GlobalMaxPooling1D, kl.Flatten,
)  # fmt: skip
# Kernels of microcontrollers compute four channels at a time.
_GRANULE = 4

Channels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _ChannelGroup:
    """Channels that one layer makes, depthwise layers hand on and other layers read.

    Attributes:
        maker: the layer whose filters they are.
        between: depthwise layers on the way.
        readers: layers that mix them.
    """

    maker: str
    between: tuple[str, ...]
    readers: tuple[str, ...]


def shrink(model: keras.Model, share: float) -> keras.Model:
    """A folded model without its least important channels.

    A channel's importance is the product of the norms of the filters that make it, hand it on and read it.
    Layers whose channels meet those of another (Add, Concatenate) keep all of theirs.

    Args:
        model: folded.
        share: of the weights that go, about; each layer keeps sqrt(1 - share) of its channels, since its
            weights are inputs times outputs.

    Raises:
        TinymlError: no layer can lose channels.
    """
    groups = _groups(model)
    kept: dict[str, npt.NDArray[np.intp]] = {}
    for group in groups:
        importance = _importance(model, group)
        count = _count(len(importance), math.sqrt(1 - share))
        kept[group.maker] = np.sort(np.argsort(-importance, kind="stable")[:count])
    if not any(len(rows) < _outputs(model.get_layer(name)) for name, rows in kept.items()):
        raise TinymlError(
            "No layer can lose channels: each has too few, or feeds an addition",
            "--structured",
            "Prune single weights instead: omit --structured.",
        )
    return _rebuilt(model, groups, kept)


def _count(channels: int, keep: float) -> int:
    granule = _GRANULE if channels >= 2 * _GRANULE else 1
    return min(channels, max(granule, round(channels * keep / granule) * granule))


def _groups(model: keras.Model) -> list[_ChannelGroup]:
    readers = network.readers_of(model)
    final = {tensor._keras_history.operation.name for tensor in model.outputs}
    makers = [layer for layer in model.layers if isinstance(layer, kl.Conv2D | kl.Conv1D | kl.Dense)]
    found = []
    for maker in makers:
        if isinstance(maker, kl.DepthwiseConv2D):
            continue
        group = _follow(maker, readers, final)
        if group is not None:
            found.append(group)
    return found


def _follow(maker: Any, readers: dict[str, list[Any]], final: set[str]) -> _ChannelGroup | None:
    """Where a layer's channels go; None where they cannot be taken out."""
    between, ends, queue = [], [], [maker]
    while queue:
        layer = queue.pop()
        if layer.name in final:
            return None
        for reader in readers.get(layer.name, []):
            if isinstance(reader, kl.DepthwiseConv2D):
                if reader.depth_multiplier != 1:
                    return None
                between.append(reader.name)
                queue.append(reader)
            elif isinstance(reader, kl.Conv2D | kl.Conv1D | kl.Dense):
                ends.append(reader.name)
            elif isinstance(reader, _PER_CHANNEL):
                queue.append(reader)
            else:
                return None
    return _ChannelGroup(maker.name, tuple(between), tuple(ends)) if ends else None


def _importance(model: keras.Model, group: _ChannelGroup) -> Channels:
    kernel = np.asarray(model.get_layer(group.maker).kernel, np.float64)
    importance: Channels = np.sqrt(np.square(kernel).reshape(-1, kernel.shape[-1]).sum(axis=0))
    for name in group.between:
        kernel = np.asarray(model.get_layer(name).kernel, np.float64)
        importance = importance * np.sqrt(np.square(kernel).sum(axis=(0, 1, 3)))
    read = np.zeros_like(importance)
    for name in group.readers:
        kernel = np.asarray(model.get_layer(name).kernel, np.float64)
        rows = np.square(kernel).sum(axis=(*range(kernel.ndim - 2), kernel.ndim - 1))
        read += rows.reshape(-1, len(importance)).sum(axis=0)
    return importance * np.sqrt(read)


def _rebuilt(
    model: keras.Model, groups: list[_ChannelGroup], kept: dict[str, npt.NDArray[np.intp]]
) -> keras.Model:
    channels_in = {
        name: (kept[group.maker], _outputs(model.get_layer(group.maker)))
        for group in groups
        for name in (*group.between, *group.readers)
    }

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in kept:
            config["units" if isinstance(layer, kl.Dense) else "filters"] = len(kept[layer.name])
        return type(layer).from_config(config)

    smaller = network.rebuild(model, clone, lambda _, output: output)
    for layer in model.layers:
        if layer.get_weights():
            weights = _sliced(layer, channels_in.get(layer.name), kept.get(layer.name))
            smaller.get_layer(layer.name).set_weights(weights)
    return smaller


def _sliced(
    layer: Any,
    inputs: tuple[npt.NDArray[np.intp], int] | None,
    outputs: npt.NDArray[np.intp] | None,
) -> list[Any]:
    """Kernel and bias with the input and output channels that stay."""
    kernel, *bias = layer.get_weights()
    if inputs is not None:
        rows, channels = inputs
        # A flattened map has its channels one after another at every place.
        places = np.arange(0, kernel.shape[-2], channels)
        kernel = np.take(kernel, (places[:, None] + rows).ravel(), axis=-2)
        if isinstance(layer, kl.DepthwiseConv2D):
            bias = [each[rows] for each in bias]
    if outputs is not None:
        kernel, bias = kernel[..., outputs], [each[outputs] for each in bias]
    return [kernel, *bias]


def _outputs(layer: Any) -> int:
    return int(layer.kernel.shape[-1])
