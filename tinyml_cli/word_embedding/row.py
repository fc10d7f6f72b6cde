"""A word's row of weights from the unit vectors of its takes, in whole numbers: on a board the same.

Linear discriminant analysis: the row is the direction of the word, away from the mean of other sound, by the
inverse of other sound's covariance. The word's vectors are those of its takes, and what noise would make of
each by a linear map that `benchmarks/backbone.py` fits. firmware/lib/teaching/word_lesson.cpp does the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.word_embedding.prototypes import direction

Int8 = npt.NDArray[np.int8]

MAP_BITS = 14
MEAN_BITS = 8
# The limit lies so far, in quarters, from what other sound reaches by chance to what the takes reach.
CHANCE_OF = 1000
_QUARTERS = 1


@dataclass(frozen=True)
class RowTables:
    """What lessons need to know about the embedding.

    Attributes:
        noise_maps: int16 [noises, values, values] in 2^-MAP_BITS, from a vector to itself in noise.
        noise_offsets: int32 [noises, values] in 2^-MAP_BITS / 128.
        mean: int16 [values] of other sound, in 2^-MEAN_BITS / 128.
        inverse: int16 [values, values], the inverse covariance of other sound in any unit.
    """

    noise_maps: npt.NDArray[np.int16]
    noise_offsets: npt.NDArray[np.int32]
    mean: npt.NDArray[np.int16]
    inverse: npt.NDArray[np.int16]


@dataclass(frozen=True)
class Row:
    """int8 weights, the int32 bias in their unit / 128, and how far takes are above chance in that unit."""

    weights: Int8
    bias: int
    gap: int


def row_of(units: Int8, others: Int8, tables: RowTables) -> Row:
    """The row of a word.

    Args:
        units: of its takes, int8 [vectors, values].
        others: of other sound, int8 [windows, values].
        tables: of the embedding.
    """
    vectors = varied(units, tables)
    word = direction(vectors.astype(np.int64).sum(axis=0))
    away = (word.astype(np.int64) << MEAN_BITS) - tables.mean
    weights = _scaled(tables.inverse.astype(np.int64) @ away)
    chance = _sums(others, weights)[-1 - len(others) // CHANCE_OF]
    reached = _sums(vectors, weights)[len(vectors) // 2]
    return Row(weights, -int((chance * (4 - _QUARTERS) + reached * _QUARTERS) >> 2), int(reached - chance))


def varied(units: Int8, tables: RowTables) -> Int8:
    """The vectors and, for each noise, what it makes of them; int8 [vectors, values]."""
    found = [units]
    for matrix, offset in zip(tables.noise_maps, tables.noise_offsets, strict=True):
        mapped = units.astype(np.int64) @ matrix.astype(np.int64).T + offset
        found.append(np.stack([direction(each) for each in mapped]))
    return np.concatenate(found)


def _scaled(row: npt.NDArray[np.int64]) -> Int8:
    """int8, the largest 127, rounded half away from zero."""
    most = max(int(np.abs(row).max()), 1)
    size = (254 * np.abs(row) + most) // (2 * most)
    scaled: Int8 = (np.sign(row) * size).astype(np.int8)
    return scaled


def _sums(vectors: Int8, weights: Int8) -> npt.NDArray[np.int64]:
    return np.sort(vectors.astype(np.int64) @ weights.astype(np.int64))
