"""The level of audio, and whether it was too loud for its microphone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
QUIETEST_DBFS = -100.0

_CLIPPED_AT = 32_700
_CLIPPED_RUN = 3
_BLOCK_SAMPLES = 1 << 20


def dbfs(amplitude: float) -> float:
    """An amplitude in int16 units as decibels below full scale, -100 at least."""
    return max(QUIETEST_DBFS, 20 * float(np.log10(max(amplitude, 1e-9) / FULL_SCALE)))


def rms_dbfs(audio: NDArray[np.int16]) -> float:
    """Root mean square of samples [n] in dBFS; -100 for none."""
    if len(audio) == 0:
        return QUIETEST_DBFS
    blocks = (
        audio[at : at + _BLOCK_SAMPLES].astype(np.float64) for at in range(0, len(audio), _BLOCK_SAMPLES)
    )
    return dbfs(float(np.sqrt(sum(float(block @ block) for block in blocks) / len(audio))))


def peak_dbfs(audio: NDArray[np.int16]) -> float:
    """Largest magnitude of samples [n] in dBFS; -100 for none."""
    return dbfs(float(max(int(audio.max(initial=0)), -int(audio.min(initial=0)))))


def clipped_share(audio: NDArray[np.int16]) -> float:
    """Share of samples [n] at full scale, three or more in a row: a flattened wave, not a lone peak."""
    if len(audio) < _CLIPPED_RUN:
        return 0.0
    high = (audio >= _CLIPPED_AT) | (audio <= -_CLIPPED_AT)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= _CLIPPED_RUN].sum() / len(audio))


def frame_levels_dbfs(audio: NDArray[np.int16], frame_samples: int) -> NDArray[np.float64]:
    """Root mean square of each whole frame in dBFS, float64 [len(audio) // frame_samples]."""
    frames = audio[: len(audio) // frame_samples * frame_samples].reshape(-1, frame_samples)
    power = np.mean(np.square(frames.astype(np.float64)), axis=1)
    level: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-9) / FULL_SCALE**2)
    return np.maximum(level, QUIETEST_DBFS)
