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
from tinyml_cli.training import class_weights
from tinyml_cli.training.batches import Batch


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


class ImageBatches:
    """Shuffled, augmented images (`batches.Batches`)."""

    def __init__(self, examples: ImageSet, recipe: VwwRecipe) -> None:
        self._examples = examples
        self._recipe = recipe
        self._size = min(recipe.training.batch_size, len(examples))
        counts = np.bincount(examples.labels, minlength=len(recipe.classes))
        self._targets = np.eye(len(counts), dtype=np.float32)
        self._weights = class_weights.of_labels(recipe.training.class_weights, recipe.classes, counts)

    def __len__(self) -> int:
        return max(1, len(self._examples) // self._size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Inputs float32 [images, size, size, channels]."""
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
            yield Batch(inputs, targets, targets @ self._weights)
