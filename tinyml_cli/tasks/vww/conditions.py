"""Accuracy by size of the object in the image, and by darkness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.images.image_folder import NONE
from tinyml_cli.outcomes.evaluations import Condition
from tinyml_cli.statistics.metrics import Classification, wilson_interval
from tinyml_cli.tasks.vww.held_out import LabelledImages
from tinyml_cli.wording import counted

# Upper limits of the largest box's share of the image.
SIZES = (("small (under 5 %)", 0.05), ("medium (5 to 25 %)", 0.25), ("large (over 25 %)", 1.01))
STOPS = (0, 1, 2, 3, 4)
# A cheap sensor's noise does not decrease with the light.
_READ_NOISE = 2.0
_MAX_IMAGES = 500


def by_size(images: LabelledImages, given: NDArray[np.int64], labels: list[str]) -> list[Condition]:
    """Recall of images with an object, by each size that occurs; empty if no boxes are known."""
    shows = np.array([labels[label] != NONE for label in images.labels], bool) & ~np.isnan(images.shares)
    rows, low = [], 0.0
    for name, high in SIZES:
        inside = shows & (images.shares >= low) & (images.shares < high)
        low = high
        if inside.any():
            rows.append(_row(name, given[inside] == images.labels[inside]))
    return rows


def low_light(
    classes: Callable[[NDArray[np.uint8]], NDArray[np.int64]], images: LabelledImages, labels: list[str]
) -> list[Condition]:
    """Accuracy with the light repeatedly halved and constant sensor noise: simulated.

    Args:
        classes: pixels uint8 [n, ...] -> class int64 [n].
        images: at most 500 of them are used, evenly spread.
        labels: the model's.
    """
    count = len(images.labels)
    chosen = np.linspace(0, count - 1, min(count, _MAX_IMAGES)).astype(np.int64)
    truth = images.labels[chosen]
    rng = np.random.default_rng(1)
    rows = []
    for stops in STOPS:
        given = classes(darkened(images.pixels[chosen], stops, rng))
        right = given == truth
        name = "unchanged" if stops == 0 else f"{counted(stops, 'stop')} less"
        result = Classification.of(tuple(labels), truth, given)
        rows.append(_row(name, right, stops=stops, recall=result.recall, precision=result.precision))
    return rows


def darkened(pixels: NDArray[np.uint8], stops: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pixels with 2^-stops of the light and noise of two steps; unchanged for 0 stops."""
    if stops == 0:
        return pixels
    dark = pixels / 2.0**stops + rng.normal(0, _READ_NOISE, pixels.shape)
    return np.clip(np.rint(dark), 0, 255).astype(np.uint8)


def _row(name: str, right: NDArray[np.bool_], **more: Any) -> Condition:
    n, correct = len(right), int(right.sum())
    return Condition(
        name=name, n=n, correct=correct, share=correct / n, ci95=wilson_interval(correct, n), **more
    )
