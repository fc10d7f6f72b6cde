"""Weights and output scales in the order that the kernels of firmware/lib/tinyml_nn read them.

The kernels are exact under conditions that only the exporter can check, once, on the real weights.
Whoever packs asks first; None means that the caller must use a kernel without conditions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.arithmetic import Multiplier

_QUAD = 4
_QUAD_ORDER = [0, 2, 1, 3]
# The kernels multiply doubled sums of 32 bits.
_LARGEST_SUM = (1 << 30) - 1
# A sum that shares its register with another has 24 bits, see columns.c.
_LARGEST_UPPER_SUM = (1 << 23) - 1
_LARGEST_INPUT = 128
_SHIFTS = range(1, 24)


def channels(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multipliers: list[Multiplier],
    input_zero_point: int,
    *,
    shared_sums: bool,
) -> npt.NDArray[np.int32] | None:
    """Per output: twice (bias - input zero point * sum of weights), multiplier, right shift.

    Args:
        weights: [outputs, weights of one output].
        shared_sums: the kernel keeps whole sums of every second output in 24 bits.

    Returns:
        int32 [outputs, 3]; None when some weight, sum or scale is beyond what the kernels can do.
    """
    wide = weights.astype(np.int64)
    folded = bias.astype(np.int64) - input_zero_point * wide.sum(axis=1)
    reach = np.abs(wide).sum(axis=1) * _LARGEST_INPUT
    limits = reach + np.abs(folded)
    scales = [
        _right_shift(multiplier, int(limit)) for multiplier, limit in zip(multipliers, limits, strict=True)
    ]
    if (
        None in scales
        or np.any(wide < -127)
        or np.any(limits > _LARGEST_SUM)
        or (shared_sums and np.any(reach[1::2] > _LARGEST_UPPER_SUM))
    ):
        return None
    return np.column_stack([2 * folded, np.array(scales, np.int64)]).astype(np.int32)


def _right_shift(multiplier: Multiplier, largest_sum: int) -> tuple[int, int] | None:
    """(significand, right shift) within the kernels' range; a scale that makes 0 of every sum becomes 0."""
    shift = -multiplier.shift
    if multiplier.significand == 0 or (shift > 1 and largest_sum < 1 << (shift - 1)):
        return 0, 1
    return (multiplier.significand, shift) if shift in _SHIFTS else None


def pairs(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Two outputs in each int16: 256 * second + first, [output pairs][quads of inputs] words.

    Inputs 0 and 2 of a quad make its first word, 1 and 3 its second. Missing outputs and inputs are 0.
    """
    return _lanes(weights, 2).reshape(-1).view(np.int8)


def quartets(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The same with two pairs of outputs side by side: [output quartets][quads][2 halves][2 pairs] words."""
    lanes = _lanes(weights, 4)
    pair, quad, _ = lanes.shape
    words = lanes.reshape(pair // 2, 2, quad, 2, 2)
    return np.ascontiguousarray(words.transpose(0, 2, 3, 1, 4)).reshape(-1).view(np.int8)


def _lanes(weights: npt.NDArray[np.int8], multiple: int) -> npt.NDArray[np.int16]:
    outputs, inputs = weights.shape
    padded = np.zeros((_whole(outputs, multiple), _whole(inputs, _QUAD)), np.int16)
    padded[:outputs, :inputs] = weights
    lanes = 256 * padded[1::2] + padded[0::2]
    return np.ascontiguousarray(lanes.reshape(len(lanes), -1, _QUAD)[:, :, _QUAD_ORDER]).astype("<i2")


def depthwise_3x3(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """[channels][3 columns] words of the bytes (row 0, row 1, row 1, row 2); weights are [channels, 3, 3].

    Even bytes are the rows that the upper pair of input rows meets, odd bytes those of the lower one.
    """
    return np.ascontiguousarray(weights[:, [0, 1, 1, 2], :].transpose(0, 2, 1)).reshape(-1)


def _whole(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
