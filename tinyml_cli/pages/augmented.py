"""A sheet of what training makes of single items: each as it is, and random variations of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Look = Literal["image", "features", "motion"]

_DPI = 100
_TILE_INCHES = 1.5
_AXES = ("#c23b22", "#2a9d5c", "#0072b2")
_ACCELERATIONS = 3


@dataclass(frozen=True)
class AugmentedItem:
    """An item of a data folder, and what training made of it.

    Attributes:
        label: what it is.
        name: of its file, or of the item in it.
        original: as it is without augmentation; images [size, size, channels], features [frames, channels],
            motion [samples, axes].
        variations: arrays of the same shape.
    """

    label: str
    name: str
    original: NDArray[Any]
    variations: Sequence[NDArray[Any]]


def draw(path: Path, items: Sequence[AugmentedItem], look: Look, title: str) -> None:
    """Writes a PNG with a row for each item.

    Raises:
        TinymlError: the file cannot be written.
    """
    from tinyml_cli.pages import pictures

    columns = 1 + max(len(item.variations) for item in items)
    figure = pictures.new(_TILE_INCHES * columns + 0.8, _TILE_INCHES * len(items) + 0.7)
    grid = figure.subplots(len(items), columns, squeeze=False)
    for row, item in zip(grid, items, strict=True):
        row[0].set_ylabel(item.label, fontsize=9)
        for axes, values in zip(row, (item.original, *item.variations), strict=False):
            show_item(axes, values, look, _limits(item))
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    grid[0, 0].set_title("as it is", fontsize=9)
    if columns > 1:
        grid[0, 1].set_title("as training sees it …", fontsize=9, loc="left")
    figure.suptitle(title, fontsize=10)
    pictures.write(path, figure, _DPI)


def _limits(item: AugmentedItem) -> tuple[float, float]:
    values = [np.asarray(each, np.float64) for each in (item.original, *item.variations)]
    return min(float(each.min()) for each in values), max(float(each.max()) for each in values)


def show_item(axes: Any, values: NDArray[Any], look: Look, limits: tuple[float, float] | None = None) -> None:
    """Draws one item, by what it is; `limits` are the ends of its values, its own by default."""
    low, high = limits or (float(values.min()), float(values.max()))
    if look == "image":
        pixels = values[..., 0] if values.shape[-1] == 1 else values
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    elif look == "features":
        axes.imshow(
            values.T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=low,
            vmax=high,
            interpolation="nearest",
        )
    else:
        for axis, colour in zip(range(min(_ACCELERATIONS, values.shape[1])), _AXES, strict=False):
            axes.plot(values[:, axis], color=colour, linewidth=0.8)
        axes.set_ylim(low, high if high > low else low + 1)
