"""Batches of feature maps: shuffled, warped, masked, mixed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.augment import mask_features
from tinyml_cli.data.warp import warp
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training import class_weights
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.examples import Examples, ExampleSource, to_float

Floats = NDArray[np.float32]


class ClipBatches:
    """Clips' feature maps, float32 [examples, frames, channels, 1] (`batches.Batches`)."""

    def __init__(self, source: ExampleSource, recipe: KwsRecipe) -> None:
        self._source = source
        self._recipe = recipe
        self._size = recipe.training.batch_size
        self._labels = len(recipe.model_labels)
        self._counts = np.bincount(source.labels, minlength=self._labels)
        self._class_weights = class_weights.of_labels(
            recipe.training.class_weights, recipe.model_labels, self._counts
        )

    def __len__(self) -> int:
        return max(1, len(self._source) // self._size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, all of one size: a smaller last one would need another compilation."""
        examples = self._source.at(epoch)
        order = np.random.default_rng([self._recipe.seed, 7, epoch]).permutation(len(examples))
        for index in range(len(self)):
            rng = np.random.default_rng([self._recipe.seed, 8, epoch, index])
            yield self._vary(examples, order[index * self._size : (index + 1) * self._size], rng)

    def shares(self) -> Floats:
        """Share of each label in the loss, [labels]; no examples are generated for it."""
        mass = self._counts * self._class_weights
        shares: Floats = (mass / mass.sum()).astype(np.float32)
        return shares

    def _vary(self, examples: Examples, rows: NDArray[np.intp], rng: np.random.Generator) -> Batch:
        settings = self._recipe.augmentation
        features = to_float(examples.features[rows])
        features = warp(features, self._recipe.features, settings.vocal_tract, settings.tempo, rng)
        mask_features(features, rng, settings.spec_masks, settings.spec_masks)
        targets = self._targets(examples, rows)
        weights = self._class_weights[examples.labels[rows]]
        if settings.mixup:
            features, targets = _mix(features, targets, settings.mixup, rng)
        return Batch(features, targets, weights)

    def _targets(self, examples: Examples, rows: NDArray[np.intp]) -> Floats:
        hard: Floats = np.eye(self._labels, dtype=np.float32)[examples.labels[rows]]
        if examples.soft is None:
            return hard
        share = np.float32(self._recipe.distillation.share)
        mixed: Floats = share * examples.soft[rows] + (1 - share) * hard
        return mixed


def _mix(features: Floats, targets: Floats, alpha: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mixup (arXiv:1710.09412): each example with a share of another; its own share is the larger one."""
    share = rng.beta(alpha, alpha, (len(features), 1)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(features))
    cube = share[:, :, None, None]
    return features * cube + features[other] * (1 - cube), targets * share + targets[other] * (1 - share)
