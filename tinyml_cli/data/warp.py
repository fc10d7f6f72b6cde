"""Simulates other speakers on feature maps: longer or shorter vocal tracts, slower or faster speech.

Vocal tract length perturbation: N. Jaitly and G. Hinton, ICML 2013 workshop; here one factor on all
frequencies of a mel filter bank that is already computed, so every batch can have its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.settings import AudioFrontendSettings

Floats = NDArray[np.float32]

_MEL_BREAK_HZ = 700.0


def warp(
    features: Floats,
    settings: AudioFrontendSettings,
    vocal_tract: float,
    tempo: float,
    rng: np.random.Generator,
) -> Floats:
    """Each map with its frequencies and its time scaled by a random factor.

    Args:
        features: float32 [clips, frames, channels, 1].
        settings: which frequencies the channels stand for.
        vocal_tract: frequencies are scaled by exp(x), x uniform in +-vocal_tract.
        tempo: time is scaled about the middle frame likewise; edges repeat.
        rng: random generator.

    Returns:
        float32 of the same shape; `features` itself where both ranges are 0.
    """
    if not vocal_tract and not tempo:
        return features
    clips, frames, _, _ = features.shape
    slower = np.exp(rng.uniform(-tempo, tempo, (clips, 1)))
    middle = (frames - 1) / 2
    frame = (np.arange(frames)[None, :] - middle) * slower + middle
    higher = np.exp(rng.uniform(-vocal_tract, vocal_tract, (clips, 1)))
    maps = _interpolate(features[..., 0], frame)
    maps = _interpolate(maps.transpose(0, 2, 1), _channels(settings, higher)).transpose(0, 2, 1)
    return np.ascontiguousarray(maps[..., None])


def _channels(settings: AudioFrontendSettings, factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each channel's centre frequency times `factor` lies, in channels; float64 [clips, channels]."""
    edges = np.linspace(_mel(settings.lower_hz), _mel(settings.upper_hz), settings.channels + 2)
    centre_hz = _MEL_BREAK_HZ * np.expm1(edges[1:-1])
    place: NDArray[np.float64] = (_mel(centre_hz[None, :] * factor) - edges[1]) / (edges[1] - edges[0])
    return place


def _mel(frequency_hz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """The mel scale but for its unit, which cancels."""
    return np.asarray(np.log1p(np.asarray(frequency_hz) / _MEL_BREAK_HZ))


def _interpolate(maps: Floats, position: NDArray[np.float64]) -> Floats:
    """Rows of each map at fractional positions [clips, places], linear, edges repeated."""
    last = maps.shape[1] - 1
    place = position.clip(0, last)
    low = np.minimum(place.astype(np.intp), last - 1)
    share = (place - low).astype(np.float32)[:, :, None]
    row = np.arange(len(maps))[:, None]
    between: Floats = maps[row, low] * (1 - share) + maps[row, low + 1] * share
    return between
