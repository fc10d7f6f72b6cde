"""Warped feature maps stay maps, move the way they should, and depend on the seed alone."""

from __future__ import annotations

import numpy as np

from tinyml_cli.data.warp import warp
from tinyml_cli.features.settings import AudioFrontendSettings

SETTINGS = AudioFrontendSettings()


def ridge(channel: int, frame: int) -> np.ndarray:
    maps = np.zeros((64, 49, 40, 1), np.float32)
    maps[:, frame - 2 : frame + 3, channel - 1 : channel + 2] = 100.0
    return maps


def centre(maps: np.ndarray, axis: int) -> np.ndarray:
    profile = maps[..., 0].sum(axis=3 - axis)
    return (profile * np.arange(profile.shape[1])).sum(axis=1) / profile.sum(axis=1)


def test_nothing_to_warp_leaves_the_map() -> None:
    maps = ridge(20, 10)
    assert warp(maps, SETTINGS, 0.0, 0.0, np.random.default_rng(1)) is maps


def test_vocal_tract_moves_channels_and_not_frames() -> None:
    warped = warp(ridge(20, 10), SETTINGS, 0.15, 0.0, np.random.default_rng(1))
    moved = centre(warped, axis=2)
    assert warped.shape == (64, 49, 40, 1)
    assert warped.dtype == np.float32
    # 15 % at channel 20 (about 1.6 kHz) is some 2.3 of 40 mel channels.
    assert 1.5 < moved.max() - 20 < 3.0
    assert 1.5 < 20 - moved.min() < 3.0
    np.testing.assert_allclose(centre(warped, axis=1), 10, atol=0.01)


def test_tempo_moves_frames_about_the_middle_and_not_channels() -> None:
    warped = warp(ridge(20, 4), SETTINGS, 0.0, 0.1, np.random.default_rng(1))
    moved = centre(warped, axis=1)
    assert 1.0 < moved.max() - 4 < 2.5
    np.testing.assert_allclose(centre(warped, axis=2), 20, atol=0.01)
    np.testing.assert_allclose(
        centre(warp(ridge(20, 24), SETTINGS, 0.0, 0.1, np.random.default_rng(1)), axis=1), 24, atol=0.01
    )


def test_a_seed_fixes_it() -> None:
    first, second, other = (
        warp(ridge(20, 10), SETTINGS, 0.1, 0.1, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()
