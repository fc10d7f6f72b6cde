"""Strokes to pictures, the host side of `firmware/lib/raster`: the same integers.

A stroke is centred and scaled to fill the picture, so neither position nor size matters.
Time is encoded in colour: red at the start, green in the middle, blue at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 32
CHANNELS = 3
MARGIN = 2
# A stroke within this many units is drawn as it is: noise would be blown up to a picture.
SMALLEST_EXTENT = 16
_SUBPIXEL_BITS = 8
_SUBPIXELS = 1 << _SUBPIXEL_BITS
_STEP = _SUBPIXELS // 2  # half a pixel between dots leaves no gaps


def rasterise(points: NDArray[np.int8]) -> NDArray[np.uint8]:
    """A stroke int8 [n, 2], n >= 1, as a picture uint8 [SIZE, SIZE, CHANNELS], row 0 on top."""
    picture = np.zeros((SIZE, SIZE, CHANNELS), np.uint8)
    at = _placed(points.astype(np.int64))
    if len(at) == 1:
        _dot(picture, at, np.zeros(1, np.int64))
        return picture
    way = np.diff(at, axis=0)
    steps = np.abs(way).max(axis=1) // _STEP + 1
    # Of every dot: its part of the stroke, and the step within; later dots cover earlier ones.
    part = np.repeat(np.arange(len(steps)), steps + 1)
    step = np.arange(len(part)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    times = (part * steps[part] + step) * 511 // (len(steps) * steps[part])
    _dot(picture, at[part] + _divided(way[part] * step[:, None], steps[part, None]), times)
    return picture


def rasterise_all(strokes: list[NDArray[np.int8]]) -> NDArray[np.uint8]:
    """Pictures uint8 [n, SIZE, SIZE, CHANNELS]."""
    if not strokes:
        return np.zeros((0, SIZE, SIZE, CHANNELS), np.uint8)
    return np.stack([rasterise(points) for points in strokes])


def _placed(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """Picture coordinates in subpixels [n, 2]: column to the right, row down."""
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum((high - low).max(), SMALLEST_EXTENT)
    side = (SIZE - 2 * MARGIN) * _SUBPIXELS
    # Doubled, so that the middle of an odd extent is whole.
    scaled = _divided((2 * points - (low + high)) * side, 2 * extent)
    middle = SIZE * _SUBPIXELS // 2
    return np.stack([middle + scaled[:, 0], middle - scaled[:, 1]], axis=1)


def _dot(picture: NDArray[np.uint8], at: NDArray[np.int64], times: NDArray[np.int64]) -> None:
    """Sets pixels to the colours of `times`, 0..511, in order."""
    column, row = np.clip(at >> _SUBPIXEL_BITS, 0, SIZE - 1).T
    early = times < 256
    red = np.where(early, 255 - times, 0)
    green = np.where(early, times, 511 - times)
    blue = np.where(early, 0, times - 256)
    picture[row, column] = np.stack([red, green, blue], axis=1)


def _divided(values: NDArray[np.int64], by: NDArray[np.int64]) -> NDArray[np.int64]:
    """C's division, towards zero."""
    divided: NDArray[np.int64] = np.sign(values) * (np.abs(values) // by)
    return divided
