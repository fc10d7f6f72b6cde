"""The range of an activation that int8 covers: all values, or less for smaller steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.quantization.histogram import Histogram

Range = tuple[float, float]

# Share of the values that may be clipped at each end.
_PERCENTILE = 1e-4
_LEVELS = 255
_MSE_STEPS = 100
_ENTROPY_LEVELS, _ENTROPY_BINS = 128, 2048


def choose(histogram: Histogram, how: str) -> Range:
    """The range (low, high) with low <= 0 <= high.

    Args:
        histogram: of an activation; an empty one gives its limits.
        how: "min-max", "percentile" (all but 0.01 % at each end), "mse" (the smallest mean square error) or
            "entropy" (the distribution that stays most like the original).
    """
    if how == "min-max" or histogram.counts.sum() == 0:
        return histogram.low, histogram.high
    return {"percentile": _percentile, "mse": _mse, "entropy": _entropy}[how](histogram)


def _percentile(histogram: Histogram) -> Range:
    cumulated = np.cumsum(histogram.counts) / histogram.counts.sum()
    low = histogram.centres[int(np.searchsorted(cumulated, _PERCENTILE))]
    high = histogram.centres[min(int(np.searchsorted(cumulated, 1 - _PERCENTILE)), len(histogram.counts) - 1)]
    return _with_zero(float(low), float(high), histogram)


def _mse(histogram: Histogram) -> Range:
    """Both ends shrunk together, in steps of one per cent; then each end alone."""
    shares = np.arange(1, _MSE_STEPS + 1) / _MSE_STEPS
    ends = histogram.low, histogram.high
    both = min(shares, key=lambda share: _square_error(histogram, share * ends[0], share * ends[1]))
    low = min(shares, key=lambda share: _square_error(histogram, share * ends[0], both * ends[1]))
    high = min(shares, key=lambda share: _square_error(histogram, low * ends[0], share * ends[1]))
    return float(low * ends[0]), float(high * ends[1])


def _square_error(histogram: Histogram, low: float, high: float) -> float:
    """Sum of squared errors of rounding to int8 with this range."""
    step = (high - low) / _LEVELS
    if step <= 0:
        return float("inf")
    centres = histogram.centres
    rounded = np.clip(np.round((centres - low) / step), 0, _LEVELS) * step + low
    return float(histogram.counts @ np.square(centres - rounded))


def _entropy(histogram: Histogram) -> Range:
    """The threshold on magnitude whose 128 levels lose the least information.

    S. Migacz, "8-bit inference with TensorRT", GTC 2017: the smallest Kullback-Leibler divergence between
    the values, what lies outside put on the end, and the same in 128 levels.
    """
    largest = max(-histogram.low, histogram.high)
    counts, _ = np.histogram(np.abs(histogram.centres), _ENTROPY_BINS, (0, largest), weights=histogram.counts)
    # After ReLU half of all values are zero, which every range holds exactly: they decide nothing.
    counts[0] = counts[1]
    candidates = range(_ENTROPY_LEVELS, _ENTROPY_BINS + 1, 8)
    best = min(candidates, key=lambda kept: _divergence(counts, kept))
    threshold = best / _ENTROPY_BINS * largest
    return max(histogram.low, -threshold), min(histogram.high, threshold)


def _divergence(counts: npt.NDArray[np.float64], kept: int) -> float:
    """KL divergence of the first `kept` bins, those beyond added to the last, from their 128 levels."""
    inside = counts[:kept]
    original = inside.copy()
    original[-1] += counts[kept:].sum()
    level = np.arange(kept) * _ENTROPY_LEVELS // kept
    filled = inside > 0
    totals = np.bincount(level, inside, _ENTROPY_LEVELS)
    spread = np.maximum(np.bincount(level, filled, _ENTROPY_LEVELS), 1)
    coarse = np.where(filled, (totals / spread)[level], 0.0)
    p, q = original / max(original.sum(), 1e-12), coarse / max(coarse.sum(), 1e-12)
    known = p > 0
    # A value that the coarse distribution lacks costs as one millionth would.
    return float(np.sum(p[known] * np.log(p[known] / np.maximum(q[known], 1e-6))))


def _with_zero(low: float, high: float, histogram: Histogram) -> Range:
    """Zero belongs to every range; an end that is zero in the histogram stays so."""
    return min(low, 0.0) if histogram.low < 0 else 0.0, max(high, 0.0) if histogram.high > 0 else 0.0
