"""Draws what the layers of a model see. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.inspection.model_input import Seen
from tinyml_cli.pages import pictures
from tinyml_cli.pages.augmented import show_item
from tinyml_cli.tflite.layers import LayerOutput

_DPI = 110
_TILES = 8
_MOST_ROWS = 12
_INCHES = 1.15
_STRIP = 0.4  # height of a row of single values
_PLAIN = ("RESHAPE", "QUANTIZE", "DEQUANTIZE", "PAD", "SHAPE", "STRIDED_SLICE", "PACK", "EXPAND_DIMS")


def draw(path: Path, seen: Seen, title: str) -> None:
    """Writes a PNG: the item, the first filters and Grad-CAM, and a row for each layer, twelve at most.

    Raises:
        TinymlError: the file cannot be written.
    """
    rows = chosen(seen.layers)
    heights = [1.0, 1.0, *(1.0 if _has_maps(layer) else _STRIP for layer in rows)]
    figure = pictures.new(_INCHES * _TILES + 2.2, _INCHES * sum(heights) + 0.5)
    grid = figure.add_gridspec(len(heights), _TILES, height_ratios=heights)
    _head(figure, grid, seen)
    for number, layer in enumerate(rows, start=2):
        _row(figure, grid, number, layer, seen.item.look == "features")
        _caption(figure.add_subplot(grid[number, 0], frame_on=False), layer)
    figure.suptitle(title, fontsize=10)
    pictures.write(path, figure, _DPI)


def chosen(layers: Sequence[LayerOutput]) -> list[LayerOutput]:
    """Those that change values; of many, the first, the last, and others evenly between them."""
    telling = [layer for layer in layers if layer.op not in _PLAIN] or list(layers)
    picks = np.unique(np.linspace(0, len(telling) - 1, min(len(telling), _MOST_ROWS)).round().astype(int))
    return [telling[pick] for pick in picks]


def _head(figure: Any, grid: Any, seen: Seen) -> None:
    """Two rows high: item, Grad-CAM, first filters, answer."""
    item = _panel(figure, grid[:2, :2], "the item")
    show_item(item, seen.item.shown, seen.item.look)
    if seen.heat is not None:
        heat = _panel(figure, grid[:2, 2:4], "Grad-CAM")
        show_item(heat, seen.item.shown, seen.item.look)
        size = seen.item.shown.shape
        extent = (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
        heat.imshow(seen.heat, cmap="inferno", alpha=0.55, extent=extent, interpolation="bilinear")
    if seen.filters is not None:
        filters = _panel(figure, grid[:2, 4:6], f"first filters, {len(seen.filters)} in all")
        filters.imshow(mosaic(seen.filters), cmap="gray", interpolation="nearest", aspect="auto")
    if seen.answer:
        answer = figure.add_subplot(grid[:2, 6:])
        names = list(seen.answer)
        answer.barh(range(len(names)), list(seen.answer.values()), color="#0072b2")
        answer.set_yticks(range(len(names)), names, fontsize=7)
        answer.invert_yaxis()
        answer.tick_params(axis="x", labelsize=6)
        answer.set_title("answer (float32)", fontsize=8)


def _caption(axes: Any, layer: LayerOutput) -> None:
    """Name, operator and shape, left of a row."""
    axes.set_xticks([])
    axes.set_yticks([])
    shape = " x ".join(map(str, layer.values.shape[1:]))
    text = f"{layer.name}\n{layer.op.lower().replace('_', ' ')}\n{shape}"
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7)


def _panel(figure: Any, place: Any, title: str) -> Any:
    axes = figure.add_subplot(place)
    axes.set_title(title, fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def _row(figure: Any, grid: Any, number: int, layer: LayerOutput, is_sound: bool) -> None:
    """Maps side by side, or a strip of values."""
    maps = layer.values[0]
    if _has_maps(layer):
        for column, channel in enumerate(strongest(maps)):
            axes = _panel(figure, grid[number, column], "")
            shown = maps[:, :, channel]
            axes.imshow(
                shown.T if is_sound else shown, cmap="inferno", interpolation="nearest",
                origin="lower" if is_sound else "upper", aspect="auto" if is_sound else "equal",
            )  # fmt: skip
        return
    axes = _panel(figure, grid[number, :], "")
    is_series = maps.ndim > 1 and maps.size > maps.shape[-1]  # channels over time, else one value each
    strip = maps.reshape(-1, maps.shape[-1]).T if is_series else maps.reshape(1, -1)
    axes.imshow(strip, cmap="inferno", interpolation="nearest", aspect="auto")


def _has_maps(layer: LayerOutput) -> bool:
    shape = layer.values.shape[1:]
    return len(shape) == 3 and min(shape[:2]) > 1


def strongest(maps: NDArray[Any]) -> list[int]:
    """The channels of maps [rows, columns, channels] that vary most over the place, eight at most."""
    spread = maps.reshape(-1, maps.shape[-1]).std(axis=0)
    return sorted(np.argsort(-spread, kind="stable")[:_TILES].tolist())


def mosaic(filters: NDArray[Any]) -> NDArray[np.float64]:
    """Filters [n, rows, columns, channels], each by its mean over the channels, in a square with gaps."""
    kernels = filters.mean(axis=-1).astype(np.float64)
    kernels = kernels / max(float(np.abs(kernels).max()), 1e-12)
    rows, columns = kernels.shape[1] + 1, kernels.shape[2] + 1
    side = int(np.ceil(np.sqrt(len(kernels) * rows / columns)))
    lines = -(-len(kernels) // side)
    board = np.full((lines * rows - 1, side * columns - 1), np.nan)
    for number, kernel in enumerate(kernels):
        top, left = number // side * rows, number % side * columns
        board[top : top + rows - 1, left : left + columns - 1] = kernel
    return board
