"""Unit vectors in 1/128 and their cosines in 1/16384, in whole numbers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
ONE = 128**2
"""A cosine of 1."""


def direction(vector: npt.NDArray[np.integer]) -> Int8:
    """The unit vector of an integer one [values], rounded half away from zero."""
    total = vector.astype(np.int64)
    length = max(math.isqrt(int((total * total).sum())), 1)
    size = (256 * np.abs(total) + length) // (2 * length)
    found: Int8 = np.minimum(np.sign(total) * size, 127).astype(np.int8)
    return found


def prototype(units: Int8) -> Int8:
    """The direction of the sum of unit vectors, int8 [values].

    Args:
        units: int8 [vectors, values], in 1/128.
    """
    return direction(units.astype(np.int64).sum(axis=0))


def cosines(units: Int8, others: Int8) -> npt.NDArray[np.int32]:
    """int32 [n, m] in 1/16384 of int8 [n, values] and [m, values]."""
    return units.astype(np.int32) @ others.astype(np.int32).T
