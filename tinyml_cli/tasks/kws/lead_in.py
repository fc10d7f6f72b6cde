"""Keyword spotting: clips as a device hears them that has been listening for a while."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import noise
from tinyml_cli.features.audio_frontend import extract_batch, extract_last
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.recipes.kws import KwsRecipe

LEAD_IN_S = 2.0

_SEED = 411
_BLOCK = 256


def settled(audio: NDArray[np.int16], settings: AudioFrontendSettings) -> NDArray[np.uint16]:
    """Features of clips after LEAD_IN_S of their own background, always the same.

    A device's noise estimate never starts with a word; after this time it has settled.

    Args:
        audio: int16 [clips, samples].
        settings: of the front end.

    Returns:
        uint16 [clips, frames, channels].
    """
    samples = audio.shape[1]
    parts = [
        extract_last(after_background(audio[start : start + _BLOCK], settings, start), settings, samples)
        for start in range(0, len(audio), _BLOCK)
    ]
    return np.concatenate(parts) if parts else extract_last(audio, settings, samples)


def as_trained(audio: NDArray[np.int16], recipe: KwsRecipe) -> NDArray[np.uint16]:
    """Features of clips as most of the recipe's examples are heard: settled, or right after a reset."""
    if recipe.augmentation.lead_in.cold_share < 0.5:
        return settled(audio, recipe.features)
    return extract_batch(audio, recipe.features)


def after_background(
    audio: NDArray[np.int16], settings: AudioFrontendSettings, number: int = 0
) -> NDArray[np.int16]:
    """Clips int16 [clips, samples] after LEAD_IN_S of their own background, in whole strides.

    `number` chooses the noise: blocks of one set take different ones.
    """
    lead_in = round(LEAD_IN_S * settings.sample_rate_hz / settings.stride_samples) * settings.stride_samples
    rng = np.random.default_rng([_SEED, number])
    before = np.rint(noise.like_background(audio, lead_in, rng)).clip(-32768, 32767).astype(np.int16)
    return np.concatenate([before, audio], axis=1)
