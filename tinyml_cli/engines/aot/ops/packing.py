"""Packs weights and output scales in the order in which the kernels of firmware/lib/tinyml_nn read them.

The kernels are exact under conditions that only the exporter can check, once, on the actual weights.
`layer` checks them; if they are violated, the caller uses a plain kernel, which has none, with `plain_layer`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.arithmetic import INT8_MAX, INT8_MIN, Multiplier
from tinyml_cli.engines.aot.fixed_point import rescale

_QUAD = 4
_QUAD_ORDER = [0, 2, 1, 3]
# The kernels multiply doubled sums of 32 bits.
_LARGEST_SUM = (1 << 30) - 1
# A sum that shares its register with another has 24 bits, see columns.c.
_LARGEST_UPPER_SUM = (1 << 23) - 1
_LARGEST_INPUT = 128
_SHIFTS = range(1, 24)


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """A layer as the kernels compute it.

    Attributes:
        weights: int8 [outputs, weights of one output]; zeros where the output is always the same.
        channels: int32 [outputs, 4], see tinyml_nn_convolution.h.
    """

    weights: npt.NDArray[np.int8]
    channels: npt.NDArray[np.int32]


def layer(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multipliers: list[Multiplier],
    zero_points: tuple[int, int],
    *,
    shared_lanes: bool = False,
    shared_sums: bool = False,
) -> PackedLayer | None:
    """Folds the input's zero point into the bias; None when the kernels' conditions do not hold.

    Training leaves dead outputs behind: weights of 0, the tiniest of scales and a bias near 2^30. They are
    the same number for every input, so they are computed here once and for all.

    Args:
        weights: [outputs, weights of one output].
        zero_points: of the input and of the output.
        shared_lanes: the kernel keeps two weights in 16 bits.
        shared_sums: the kernel keeps whole sums of every second output in 24 bits.
    """
    wide = weights.astype(np.int64)
    folded = bias.astype(np.int64) - zero_points[0] * wide.sum(axis=1)
    reach = np.abs(wide).sum(axis=1) * _LARGEST_INPUT
    rows = np.empty((len(weights), 4), np.int64)
    for output, multiplier in enumerate(multipliers):
        middle, radius = int(folded[output]), int(reach[output])
        constant = _constant(middle - radius, middle + radius, multiplier, zero_points[1])
        if constant is not None:
            wide[output], reach[output] = 0, 0
            rows[output] = _always(constant, zero_points[1])
        elif -multiplier.shift in _SHIFTS and abs(middle) + radius <= _LARGEST_SUM:
            shift = -multiplier.shift
            rows[output] = 2 * middle, multiplier.significand, _rounding(zero_points[1], shift), shift
        else:
            return None
    if (shared_lanes and np.any(wide < -127)) or (shared_sums and np.any(reach[1::2] > _LARGEST_UPPER_SUM)):
        return None
    return PackedLayer(wide.astype(np.int8), rows.astype(np.int32))


def plain_layer(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multipliers: list[Multiplier],
    input_zero_point: int,
) -> PackedLayer:
    """A layer for a plain kernel: any weights [outputs, weights of one output], sums and scales."""
    scales = np.array([(each.significand, 0, each.shift) for each in multipliers], np.int32)
    folded = folded_bias(bias, weights, input_zero_point)
    return PackedLayer(weights, np.column_stack([folded, scales]))


def _constant(lowest: int, highest: int, multiplier: Multiplier, zero_point: int) -> int | None:
    """The output, without its zero point, that all sums from `lowest` to `highest` give, if there is one."""
    if lowest < -(1 << 31) or highest >= 1 << 31:
        return None
    if multiplier.shift > 0 and max(-lowest, highest) << multiplier.shift >= 1 << 31:
        return None
    low, high = (
        min(max(rescale(value, multiplier) + zero_point, INT8_MIN), INT8_MAX) for value in (lowest, highest)
    )
    return low - zero_point if low == high else None


def _always(output: int, zero_point: int) -> tuple[int, int, int, int]:
    """A channel that makes `output` + `zero_point` of a sum of 0: 8 * output / 4 / 2."""
    return 8 * output, 1 << 30, _rounding(zero_point, 1), 1


def _rounding(zero_point: int, shift: int) -> int:
    """Half a unit and the output's zero point before the shift to the right, see requantize.h."""
    return (2 * zero_point + 1) << (shift - 1)


def gathered(filters: npt.NDArray[np.int8], rows: int) -> npt.NDArray[np.int8]:
    """`filters` [outputs, values of a window] in the order in which convolve_s8.c gathers a window.

    The whole quads of each of its `rows` rows come first, then what is left of each row.
    """
    split = filters.reshape(len(filters), rows, -1)
    whole_values = split.shape[2] // _QUAD * _QUAD
    parts = (split[:, :, :whole_values], split[:, :, whole_values:])
    return np.concatenate([part.reshape(len(filters), -1) for part in parts], axis=1)


def pairs(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Two outputs in each int16: 256 * second + first, [output pairs][quads of inputs] words.

    Inputs 0 and 2 of a quad make its first word, 1 and 3 its second. Missing outputs and inputs are 0.
    """
    return _lanes(weights, 2).reshape(-1).view(np.int8)


def paired_channels(channels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """`PackedLayer.channels` of an even number of outputs, as the kernels of `pairs` read them."""
    return np.pad(channels, ((0, len(channels) % 2), (0, 0)))


def quartets(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The same with two pairs of outputs side by side: [output quartets][quads][2 halves][2 pairs] words."""
    lanes = _lanes(weights, 4)
    pair, quad, _ = lanes.shape
    words = lanes.reshape(pair // 2, 2, quad, 2, 2)
    return np.ascontiguousarray(words.transpose(0, 2, 3, 1, 4)).reshape(-1).view(np.int8)


def whole_quads(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Each row in whole words; what is missing is 0."""
    outputs, inputs = weights.shape
    padded = np.zeros((outputs, whole(inputs, _QUAD)), np.int8)
    padded[:, :inputs] = weights
    return padded


def four_rows(matrix: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """[rows / 4][columns / 4][4 rows][4 columns], see tinyml_nn_recurrent.h; what is missing is 0."""
    rows, columns = matrix.shape
    padded = np.zeros((whole(rows, _QUAD), whole(columns, _QUAD)), np.int8)
    padded[:rows, :columns] = matrix
    return np.ascontiguousarray(padded.reshape(-1, _QUAD, padded.shape[1] // _QUAD, _QUAD).swapaxes(1, 2))


def folded_bias(
    bias: npt.NDArray[np.int32], weights: npt.NDArray[np.integer], zero_point: int
) -> npt.NDArray[np.int32]:
    """bias - zero_point * the sum of each row of weights, modulo 2^32 like the kernels' sums."""
    folded: npt.NDArray[np.int64] = bias.astype(np.int64) - zero_point * weights.astype(np.int64).sum(axis=1)
    return folded.astype(np.int32)


def _lanes(weights: npt.NDArray[np.int8], multiple: int) -> npt.NDArray[np.int16]:
    outputs, inputs = weights.shape
    padded = np.zeros((whole(outputs, multiple), whole(inputs, _QUAD)), np.int16)
    padded[:outputs, :inputs] = weights
    lanes = 256 * padded[1::2] + padded[0::2]
    return np.ascontiguousarray(lanes.reshape(len(lanes), -1, _QUAD)[:, :, _QUAD_ORDER]).astype("<i2")


def depthwise_3x3(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """[channels][3 columns] words of the bytes (row 0, row 1, row 1, row 2); weights are [channels, 3, 3].

    Even bytes are the rows that the upper pair of input rows meets, odd bytes those of the lower one.
    """
    return np.ascontiguousarray(weights[:, [0, 1, 1, 2], :].transpose(0, 2, 1)).reshape(-1)


def depthwise(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """[quads of channels][pairs of values] words of the bytes (channel 0, 1 of one value, 0, 1 of the next),
    then of channels 2 and 3; weights are [channels, values of a window].

    The last four channels overlap the ones before them if they are not whole; missing channels, which come
    first, and values are 0.
    """
    channels, values = weights.shape
    missing = max(_QUAD - channels, 0)
    padded = np.zeros((channels + missing, whole(values, 2)), np.int8)
    padded[missing:, :values] = weights
    starts = [min(start, len(padded) - _QUAD) for start in range(0, len(padded), _QUAD)]
    quads = np.stack([padded[start : start + _QUAD] for start in starts])
    # [quads, 2 halves, 2 channels, pairs, 2 values] to [quads, pairs, halves, values, channels]
    split = quads.reshape(len(starts), 2, 2, -1, 2).transpose(0, 3, 1, 4, 2)
    return np.ascontiguousarray(split).reshape(-1)


def whole(size: int, multiple: int) -> int:
    """The smallest multiple that is not below `size`."""
    return -(-size // multiple) * multiple
