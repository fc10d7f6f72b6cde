"""Words in a stream of features, found as firmware/lib/teaching/take_finder.cpp finds them.

A frame's loudness is the sum of its quantised features above their lowest code. The front end evens out level
and background, so fixed limits tell words from what lies between them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]

FRAMES = 49
SHIFTS = (-10, -5, 0, 5, 10)
"""Frames by which the windows of a take are earlier or later: a word may stand anywhere in a stream's."""
# Of a frame, as the mean of its channels; of a word, in frames, with the pause that ends it.
_LOUD, _PEAK = 60, 120
_SHORTEST, _PAUSE = 6, 12
_LOWEST = -128


def words(codes: Int8) -> Iterator[tuple[int, int]]:
    """First and last frame of each word that a pause follows and a window can hold.

    Args:
        codes: quantised features int8 [frames, channels].
    """
    channels = codes.shape[1]
    loudness = (codes.astype(np.int32) - _LOWEST).sum(axis=1)
    first = last = peak = -1
    for frame, level in enumerate(loudness.tolist()):
        if level >= _LOUD * channels:
            first, peak = (frame, level) if first < 0 else (first, max(peak, level))
            last = frame
        elif first >= 0 and frame - last > _PAUSE:
            if _SHORTEST <= last - first + 1 <= FRAMES and peak >= _PEAK * channels:
                yield first, last
            first = -1


def windows(codes: Int8) -> Int8 | None:
    """The windows int8 [SHIFTS, FRAMES, channels] around the first word; None where there is none.

    Args:
        codes: as of `words`.
    """
    for first, last in words(codes):
        middle = (first + last) // 2 - FRAMES // 2
        if middle + SHIFTS[0] >= 0 and middle + SHIFTS[-1] + FRAMES <= len(codes):
            return np.stack([codes[middle + shift :][:FRAMES] for shift in SHIFTS])
    return None
