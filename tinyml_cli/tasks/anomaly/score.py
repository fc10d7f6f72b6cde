"""The distance of a window from normal running: the integers of anomaly_score.c, and in floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.anomaly_settings import Mixture
from tinyml_cli.manifest_sections import TensorQuantization

STEP_BITS = 4
_UINT32_MAX = (1 << 32) - 1
_WEIGHT_MAX = (1 << 16) - 1

Scores = NDArray[np.int64]


def ratio_q16(source: TensorQuantization, target: TensorQuantization) -> int:
    """The output's scale over the input's, in Q16."""
    return round(target.scale / source.scale * 65536)


def squared_errors(
    inputs: NDArray[np.int8],
    outputs: NDArray[np.int8],
    source: TensorQuantization,
    target: TensorQuantization,
) -> NDArray[np.int64]:
    """Squared difference of each value, int64 [n, values], in 1/256 of an input step squared."""
    wanted = (inputs.astype(np.int64) - source.zero_point) << STEP_BITS
    scaled = (outputs.astype(np.int64) - target.zero_point) * ratio_q16(source, target)
    made = (scaled + (1 << (15 - STEP_BITS))) >> (16 - STEP_BITS)
    squares: NDArray[np.int64] = (wanted - made) ** 2
    return squares


def reconstruction_scores(
    inputs: NDArray[np.int8],
    outputs: NDArray[np.int8],
    source: TensorQuantization,
    target: TensorQuantization,
) -> Scores:
    """anomaly_reconstruction_score of each window, int64 [n]."""
    count = inputs.shape[1]
    mean = (squared_errors(inputs, outputs, source, target).sum(axis=1) + count // 2) // count
    scores: Scores = np.minimum(mean, _UINT32_MAX)
    return scores


def mixture_scores(points: NDArray[np.int8], mixture: Mixture) -> Scores:
    """anomaly_mixture_score of each point int8 [n, dimensions], int64 [n]."""
    distances = np.stack([_distance(points, mixture, index) for index in range(len(mixture.constants))])
    scores: Scores = np.minimum(distances.min(axis=0), _UINT32_MAX)
    return scores


def nearest(points: NDArray[np.int8], mixture: Mixture) -> NDArray[np.int64]:
    """The cluster that gives each point's score, int64 [n]."""
    distances = [_distance(points, mixture, index) for index in range(len(mixture.constants))]
    found: NDArray[np.int64] = np.stack(distances).argmin(axis=0)
    return found


def _distance(points: NDArray[np.int8], mixture: Mixture, index: int) -> Scores:
    difference = (points.astype(np.int64) << STEP_BITS) - np.array(mixture.centers[index], np.int64)
    weighted = (difference**2 * np.array(mixture.weights[index], np.int64)).sum(axis=1)
    distance: Scores = mixture.constants[index] + (weighted >> mixture.shift)
    return distance


def float_mixture_scores(
    points: NDArray[np.floating],
    centers: NDArray[np.float64],
    precisions: NDArray[np.float64],
    constants: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The same before quantisation, of points float [n, dimensions]; float64 [n]."""
    difference = points[:, None, :].astype(np.float64) - centers[None]
    scores: NDArray[np.float64] = (constants + (difference**2 * precisions).sum(axis=2)).min(axis=1)
    return scores


def quantize_mixture(
    centers: NDArray[np.float64],
    precisions: NDArray[np.float64],
    constants: NDArray[np.float64],
    target: TensorQuantization,
) -> Mixture:
    """Clusters in the steps of the network's int8 output; a score of 1.0 becomes 256.

    Args:
        centers: float64 [clusters, dimensions], in real units of the output.
        precisions: the same shape, weight of each squared distance.
        constants: float64 [clusters], at least 0.
    """
    fine = 1 << STEP_BITS
    steps = np.rint((centers / target.scale + target.zero_point) * fine)
    weights = 256.0 * precisions * (target.scale / fine) ** 2
    shift = int(np.clip(np.floor(np.log2(_WEIGHT_MAX / weights.max())), 0, 62))
    return Mixture(
        shift=shift,
        centers=np.clip(steps, -32768, 32767).astype(int).tolist(),
        weights=np.clip(np.rint(weights * 2.0**shift), 0, _WEIGHT_MAX).astype(int).tolist(),
        constants=np.rint(256.0 * constants).astype(int).tolist(),
    )
