"""Constraints on weights during training: zeros where they were pruned, few values where clustered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt

from tinyml_cli.training import network
from tinyml_cli.variants import STEPS

if TYPE_CHECKING:
    from tinyml_cli.manifest import Manifest

Weights = npt.NDArray[np.float32]

# Smaller kernels (depthwise ones, mostly) hold few bytes and much of the accuracy.
MIN_WEIGHTS = 256
# Share of the training in which sparsity grows; the rest heals.
_RAMP = 0.6
_LLOYD = 20
# Clusters of a trained model are read from its weights again; int8 tells no more than two decimals apart.
_DECIMALS = 5


@dataclass
class ClusteredKernel:
    """A kernel of few values: the scale of its channel, times one of a few centroids.

    The largest weight of each channel is a centroid of 1 or -1, so int8, whose scale is the channel's largest
    weight, gets the same few values in every channel: round(127 centroid).

    Attributes:
        centroids: float64 [k], sorted, the first -1 and the last 1.
        member: int [n, channels], which centroid each weight is.
    """

    centroids: npt.NDArray[np.float64]
    member: npt.NDArray[np.intp]

    @classmethod
    def of(cls, weights: Weights, k: int, keep_zero: bool) -> ClusteredKernel:
        """Clusters of [n, channels] weights, by k-means on weights over the channel's largest.

        Linear first centroids after S. Han et al., "Deep Compression", arXiv:1510.00149, section 3.2.
        """
        values = (weights / _scale(weights)).astype(np.float64)
        used = np.unique(np.concatenate([[-1.0, 1.0], np.round(values, _DECIMALS).ravel()]))
        if len(np.unique(np.round(values, _DECIMALS))) <= k:
            return cls(used, np.abs(values[..., None] - used).argmin(axis=-1))
        centroids = np.linspace(-1, 1, k)
        zero = int(np.abs(centroids).argmin())
        for _ in range(_LLOYD):
            if keep_zero:
                centroids[zero] = 0.0
            member = np.abs(values[..., None] - centroids).argmin(axis=-1)
            if keep_zero:
                member[values != 0] = _nearest(values[values != 0], centroids, zero)
                member[values == 0] = zero
            for index in range(1, k - 1):
                inside = values[member == index]
                if inside.size and not (keep_zero and index == zero):
                    centroids[index] = inside.mean()
        return cls(centroids, member)

    def project(self, weights: Weights) -> Weights:
        """The nearest weights [n, channels] of this kind: centroids become the mean of their members.

        So a step of training moves a centroid by the mean gradient of its members (arXiv:1510.00149).
        """
        ends = (self.member == 0) | (self.member == len(self.centroids) - 1)
        count = np.maximum(ends.sum(axis=0), 1)
        scale = np.maximum((np.abs(weights) * ends).sum(axis=0) / count, 1e-9)
        values = weights / scale
        for index in range(1, len(self.centroids) - 1):
            inside = values[self.member == index]
            if inside.size and self.centroids[index] != 0.0:
                self.centroids[index] = np.clip(inside.mean(), -1, 1)
        projected: Weights = (self.centroids[self.member] * scale).astype(np.float32)
        return projected


def _nearest(
    values: npt.NDArray[np.float64], centroids: npt.NDArray[np.float64], zero: int
) -> npt.NDArray[np.intp]:
    """The nearest centroid other than zero: a weight that was not pruned stays a weight."""
    distance = np.abs(values[..., None] - centroids)
    distance[..., zero] = np.inf
    nearest: npt.NDArray[np.intp] = distance.argmin(axis=-1)
    return nearest


def _scale(weights: Weights) -> Weights:
    largest: Weights = np.maximum(np.abs(weights).max(axis=0), np.float32(1e-9))
    return largest


def channels_last(layer: Any) -> Weights:
    """A kernel as [n, channels], a column for each int8 scale: one for all of a Dense layer."""
    kernel = np.asarray(layer.kernel)
    if isinstance(layer, keras.layers.Dense):
        return kernel.reshape(-1, 1)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return kernel.reshape(-1, kernel.shape[-2] * kernel.shape[-1])
    return kernel.reshape(-1, kernel.shape[-1])


@dataclass
class Constraints:
    """What each layer must keep.

    Attributes:
        masks: layer -> which weights stay, of the kernel's shape.
        clusters: layer -> its clusters.
        sparsity: share of zeros to grow to; None where masks are final.
    """

    masks: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    clusters: dict[str, ClusteredKernel] = field(default_factory=dict)
    sparsity: float | None = None

    @classmethod
    def of(cls, model: keras.Model, manifest: Manifest) -> Constraints:
        """What a folded model of a run has been given by earlier steps."""
        found = cls()
        for step in manifest.metrics.get(STEPS, []):
            for layer in large_layers(model):
                if step["method"] == "prune" and not step.get("structured"):
                    found.masks[layer.name] = np.asarray(layer.kernel) != 0
                if step["method"] == "cluster":
                    weights = channels_last(layer)
                    zeros = layer.name in found.masks
                    found.clusters[layer.name] = ClusteredKernel.of(weights, int(step["clusters"]), zeros)
        return found

    def project(self, model: keras.Model, share: float) -> None:
        """Puts a model's weights back to where they are allowed, after `share` of the training."""
        if self.sparsity is not None:
            self._prune(model, min(1.0, share / _RAMP))
        for name, mask in self.masks.items():
            layer = model.get_layer(name)
            layer.kernel.assign(np.asarray(layer.kernel) * mask)
        for name, clusters in self.clusters.items():
            layer = model.get_layer(name)
            projected = clusters.project(channels_last(layer))
            layer.kernel.assign(projected.reshape(layer.kernel.shape))

    def _prune(self, model: keras.Model, ramp: float) -> None:
        """Smallest weights of each layer go, more and more of them.

        M. Zhu, S. Gupta, "To prune, or not to prune", arXiv:1710.01878: s_f (1 - (1 - t)^3).
        """
        assert self.sparsity is not None
        if ramp >= 1.0 and self.masks and self._is_full():
            return
        now = self.sparsity * (1 - (1 - ramp) ** 3)
        for layer in large_layers(model):
            kernel = np.abs(np.asarray(layer.kernel))
            gone = int(np.ceil(now * kernel.size)) if ramp >= 1.0 else int(now * kernel.size)
            order = np.argsort(kernel, axis=None, kind="stable")
            mask = np.ones(kernel.size, bool)
            mask[order[:gone]] = False
            self.masks[layer.name] = mask.reshape(kernel.shape)

    def _is_full(self) -> bool:
        assert self.sparsity is not None
        return all(1 - mask.mean() >= self.sparsity for mask in self.masks.values())


def large_layers(model: keras.Model) -> list[Any]:
    """Layers whose kernels are worth changing."""
    chosen = [layer for layer in model.layers if network.kernel_of(layer) is not None]
    return [layer for layer in chosen if int(np.prod(layer.kernel.shape)) >= MIN_WEIGHTS]
