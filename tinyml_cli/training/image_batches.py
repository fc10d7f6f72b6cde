"""Batches of images for training: read from disk, augmented on the fly, reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.images.image_augment import augment, mix
from tinyml_cli.recipes.vww import VwwRecipe

# At 100 images of one class per image of another, equal weights would make single images dominate.
_LARGEST_WEIGHT = 20.0


class Pixels(Protocol):
    """The source of images: a cache on disk, or memory."""

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images uint8 [n, size, size, channels]."""


@dataclass(frozen=True)
class ImageSet:
    """Labelled images.

    Attributes:
        pixels: their source.
        rows: int64 [n], their positions in it.
        labels: int64 [n].
    """

    pixels: Pixels
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, start: int, stop: int) -> NDArray[np.uint8]:
        """A range of them in order, uint8 [stop - start, size, size, channels]."""
        return self.pixels.rows(self.rows[start:stop])


def to_float(pixels: NDArray[np.uint8], image: ImageInput) -> NDArray[np.float32]:
    """The float model's input, float32 of the same shape."""
    factor = np.float32((image.high - image.low) / 255)
    return (pixels * factor + np.float32(image.low)).astype(np.float32)


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Weight of each label for equal totals: n / (classes * n_label), at most 20."""
    counts = np.bincount(labels, minlength=classes)
    weights = len(labels) / (classes * np.maximum(counts, 1))
    return np.minimum(weights, _LARGEST_WEIGHT).astype(np.float32)


Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class ImageBatches:
    """Shuffled, augmented batches that depend only on the seed, the epoch and the batch number.

    So a resumed training gets the same batches as an uninterrupted one.
    """

    def __init__(self, examples: ImageSet, classes: int, recipe: VwwRecipe) -> None:
        self._examples = examples
        self._recipe = recipe
        self._size = min(recipe.training.batch_size, len(examples))
        self._targets = np.eye(classes, dtype=np.float32)
        even = np.ones(classes, np.float32)
        self._weights = class_weights(examples.labels, classes) if recipe.training.class_weights else even

    def __len__(self) -> int:
        return max(1, len(self._examples) // self._size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """(inputs, targets [n, classes], weights [n]), all of one size: another would be compiled again."""
        seed = self._recipe.seed
        order = np.random.default_rng([seed, 7, epoch]).permutation(len(self._examples))
        for index in range(len(self)):
            # Sorted, so that rows of the cache are read in their order on disk.
            chosen = np.sort(order[index * self._size : (index + 1) * self._size])
            rng = np.random.default_rng([seed, 8, epoch, index])
            pixels = self._examples.pixels.rows(self._examples.rows[chosen])
            varied = augment(pixels, self._recipe.augmentation, rng)
            labels = self._examples.labels[chosen]
            inputs, targets = mix(
                to_float(varied, self._recipe.image),
                self._targets[labels],
                self._recipe.augmentation.mixup,
                rng,
            )
            yield inputs, targets, targets @ self._weights
