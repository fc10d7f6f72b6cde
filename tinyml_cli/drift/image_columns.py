"""Summary features of inputs too large to compare value by value: images, strokes and motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = dict[str, NDArray[np.float64]]


def of_pictures(pixels: NDArray[np.int8]) -> Values:
    """Effects of light, lens and place on images [n, rows, columns, channels], in int8 steps."""
    values = pixels.astype(np.float64)
    grey = values.mean(axis=3)
    looks = {
        "feature brightness": grey.mean(axis=(1, 2)),
        "feature contrast": grey.std(axis=(1, 2)),
        "feature detail": np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2)),
    }
    if values.shape[3] > 1:
        looks["feature colour"] = (values.max(axis=3) - values.min(axis=3)).mean(axis=(1, 2))
    return looks


def of_strokes(pixels: NDArray[np.int8]) -> Values:
    """Features of a hand's strokes [n, rows, columns, 3]; the channels encode time.

    Ink and its parts are in int8 steps over the whole picture, width and height are standard deviations in
    pixels.
    """
    drawn = pixels.astype(np.float64)
    drawn -= drawn.min(axis=(1, 2, 3), keepdims=True)
    ink = drawn.max(axis=3)
    looks = {"feature ink": ink.mean(axis=(1, 2))}
    for name, axis in (("height", 2), ("width", 1)):
        looks[f"feature {name}"] = _spread(ink.sum(axis=axis))
    for name, channel in (("beginning", 0), ("middle", 1), ("end", 2)):
        looks[f"feature {name}"] = drawn[..., channel].mean(axis=(1, 2))
    return looks


def of_motion(windows: NDArray[np.int8]) -> Values:
    """Mean and standard deviation of each axis of windows [n, samples, axes, 1], in int8 steps."""
    values = windows.astype(np.float64)[..., 0]
    looks = {}
    for axis in range(values.shape[2]):
        looks[f"feature axis {axis} level"] = values[:, :, axis].mean(axis=1)
        looks[f"feature axis {axis} swing"] = values[:, :, axis].std(axis=1)
    return looks


def _spread(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of positions with weights [n, positions]; 0 if all weights are 0."""
    places = np.arange(weights.shape[1])
    total = np.maximum(weights.sum(axis=1), 1e-9)
    mean = (weights * places).sum(axis=1) / total
    spread: NDArray[np.float64] = np.sqrt((weights * (places - mean[:, None]) ** 2).sum(axis=1) / total)
    return spread
