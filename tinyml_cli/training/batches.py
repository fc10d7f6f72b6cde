"""Batches of an epoch: shuffled, warped, masked, mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.augment import mask_features
from tinyml_cli.data.warp import warp
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.examples import Examples, Source, to_float

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """The training data of one step.

    Attributes:
        features: float32 [examples, frames, channels, 1].
        targets: float32 [examples, labels], rows sum to 1.
        weights: float32 [examples], of each example's loss.
    """

    features: Floats
    targets: Floats
    weights: Floats


class Batches:
    """Batches that depend only on the seed, the epoch and the batch number.

    So a resumed training gets the same batches as an uninterrupted one.
    """

    def __init__(self, source: Source, labels: int, recipe: KwsRecipe) -> None:
        self.labels = labels
        self._source = source
        self._recipe = recipe
        self._size = recipe.training.batch_size
        self._class_weights = np.array(
            [recipe.training.class_weights.get(label, 1.0) for label in recipe.labels], np.float32
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
        mass = np.bincount(self._source.labels, minlength=self.labels) * self._class_weights
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
        hard: Floats = np.eye(self.labels, dtype=np.float32)[examples.labels[rows]]
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
