"""16-bit samples: full scale, and clips of one length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Full scale 1.0 -> 32768, rounded and clipped; same shape."""
    rounded: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return rounded


def fit_length(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """Exactly `length` samples: short audio centred in zeros, of long audio the loudest stretch."""
    if len(samples) <= length:
        before = (length - len(samples)) // 2
        return np.pad(samples, (before, length - len(samples) - before))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]
