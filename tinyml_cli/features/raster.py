"""Strokes to pictures, the host side of `firmware/lib/raster`: the same integers.

A stroke is centred and scaled to fill the picture, so that neither where nor how large it is drawn matters.
Time is coded in colour: red at its start, green in its middle, blue at its end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 32
CHANNELS = 3
_MARGIN = 2
# A stroke within this many units is drawn as it is: noise would be blown up to a picture.
_SMALLEST_EXTENT = 16
_SUBPIXEL_BITS = 8
_SUBPIXELS = 1 << _SUBPIXEL_BITS
_STEP = _SUBPIXELS // 2  # half a pixel between dots leaves no gaps


def rasterise(points: NDArray[np.int8]) -> NDArray[np.uint8]:
    """A stroke int8 [n, 2], n >= 1, as a picture uint8 [SIZE, SIZE, CHANNELS], row 0 on top."""
    picture = np.zeros((SIZE, SIZE, CHANNELS), np.uint8)
    at = _placed(points.astype(np.int32)).tolist()
    last = len(at) - 1
    if last == 0:
        _dot(picture, at[0][0], at[0][1], 0)
    for index in range(last):
        (x0, y0), (x1, y1) = at[index], at[index + 1]
        steps = max(abs(x1 - x0), abs(y1 - y0)) // _STEP + 1
        for step in range(steps + 1):
            time = (index * steps + step) * 511 // (last * steps)
            x = x0 + _divided((x1 - x0) * step, steps)
            y = y0 + _divided((y1 - y0) * step, steps)
            _dot(picture, x, y, time)
    return picture


def rasterise_all(strokes: list[NDArray[np.int8]]) -> NDArray[np.uint8]:
    """Pictures uint8 [n, SIZE, SIZE, CHANNELS]."""
    if not strokes:
        return np.zeros((0, SIZE, SIZE, CHANNELS), np.uint8)
    return np.stack([rasterise(points) for points in strokes])


def _placed(points: NDArray[np.int32]) -> NDArray[np.int32]:
    """Picture coordinates in subpixels [n, 2]: column to the right, row down."""
    low, high = points.min(axis=0), points.max(axis=0)
    extent = max(int((high - low).max()), _SMALLEST_EXTENT)
    side = (SIZE - 2 * _MARGIN) * _SUBPIXELS
    # Doubled, so that the middle of an odd extent is whole.
    doubled = 2 * points - (low + high)
    scaled = _divided_array(doubled * side, 2 * extent)
    middle = SIZE * _SUBPIXELS // 2
    return np.stack([middle + scaled[:, 0], middle - scaled[:, 1]], axis=1)


def _dot(picture: NDArray[np.uint8], x: int, y: int, time: int) -> None:
    """Sets a pixel to the colour of `time`, 0..511."""
    column = min(max(x >> _SUBPIXEL_BITS, 0), SIZE - 1)
    row = min(max(y >> _SUBPIXEL_BITS, 0), SIZE - 1)
    if time < 256:
        picture[row, column] = (255 - time, time, 0)
    else:
        picture[row, column] = (0, 511 - time, time - 256)


def _divided(value: int, by: int) -> int:
    """C's division, towards zero."""
    return value // by if value >= 0 else -(-value // by)


def _divided_array(values: NDArray[np.int32], by: int) -> NDArray[np.int32]:
    divided: NDArray[np.int32] = np.sign(values) * (np.abs(values) // by)
    return divided.astype(np.int32)
