"""Variations keep shape and type, depend on the seed alone, and do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.data import augment, noise
from tinyml_cli.recipes.kws import AugmentationRecipe, LeadInRecipe

RATE_HZ = 16_000
STILL = AugmentationRecipe(
    time_shift_ms=0,
    speed=(1.0, 1.0),
    gain_db=(0.0, 0.0),
    equaliser_db=0.0,
    reverberation_share=0.0,
    noise_share=0.0,
    low_pass_share=0.0,
)
NO_BED = augment.NoiseBed((), np.empty((0, RATE_HZ), np.int16))


def words(count: int = 8) -> np.ndarray:
    """A 400 ms burst of 1 kHz between exact zeros."""
    audio = np.zeros((count, RATE_HZ), np.int16)
    audio[:, 4_800:11_200] = 8_000 * np.sin(2 * np.pi * 1000 * np.arange(6_400) / RATE_HZ)
    return audio


def vary(audio: np.ndarray, seed: int = 0, bed: augment.NoiseBed = NO_BED, **changes: object) -> np.ndarray:
    recipe = STILL.model_copy(update=changes)
    return augment.augment(audio, recipe, bed, RATE_HZ, np.random.default_rng(seed))


def centre(audio: np.ndarray) -> np.ndarray:
    power = np.square(audio.astype(float))
    return (power * np.arange(audio.shape[1])).sum(axis=1) / power.sum(axis=1)


def test_a_seed_fixes_it() -> None:
    recipe = AugmentationRecipe()
    bed = augment.NoiseBed((np.arange(40_000, dtype=np.int16),), words(3))
    one, two, other = (
        augment.augment(words(), recipe, bed, RATE_HZ, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one.dtype == np.int16
    assert one.shape == (8, RATE_HZ)
    assert (one == two).all()
    assert (one != other).any()


def test_nothing_to_vary_leaves_the_clip() -> None:
    assert np.abs(vary(words()).astype(int) - words()).max() < 120


def test_words_between_zeros_move_anywhere_but_stay_in_the_window() -> None:
    moved = vary(words(200), time_shift_ms=100)
    places = centre(moved)
    assert places.min() < 4_500
    assert places.max() > 11_500
    kept = np.square(moved.astype(float)).sum(axis=1) / np.square(words(1).astype(float)).sum()
    assert kept.min() > 0.75


def test_speed_changes_pitch() -> None:
    spectrum = np.abs(np.fft.rfft(vary(words(1), speed=(1.25, 1.25))[0]))
    assert np.argmax(spectrum) == pytest.approx(1250, abs=10)


def test_gain_and_clipping() -> None:
    quiet = vary(words(), gain_db=(-20.0, -20.0))
    assert np.abs(quiet).max() == pytest.approx(800, rel=0.05)
    assert np.abs(vary(words(), gain_db=(30.0, 30.0)).astype(int)).max() >= 32_767


def test_noise_meets_its_distance() -> None:
    audio = words(40)
    noisy = vary(audio, noise_share=1.0, snr_db=(10.0, 10.0)).astype(float)
    added = np.square(noisy - audio).mean(axis=1)
    snr_db = 10 * np.log10(np.square(audio.astype(float)).mean(axis=1) / added)
    assert np.median(snr_db) == pytest.approx(10, abs=1)


def test_low_pass_takes_the_treble() -> None:
    audio = np.random.default_rng(0).normal(0, 3000, (20, RATE_HZ)).astype(np.int16)
    treble = np.abs(np.fft.rfft(vary(audio, low_pass_share=1.0).astype(float)))[:, 7_500:].mean()
    assert treble < 0.5 * np.abs(np.fft.rfft(audio.astype(float)))[:, 7_500:].mean()


def test_a_room_has_a_tail() -> None:
    after = slice(11_500, 13_000)
    assert np.abs(vary(words(), reverberation_share=1.0)[:, after]).mean() > 20
    assert np.abs(vary(words())[:, after]).mean() < 20


def test_coloured_noise_is_finite_and_level() -> None:
    made = noise.coloured(50, 16_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.sqrt(np.square(made).mean(axis=1)), 1.0, rtol=1e-3)


def test_masks_touch_a_part_of_the_features() -> None:
    features = np.ones((64, 49, 40, 1), np.float32)
    masked = augment.mask_features(features, np.random.default_rng(0))
    assert 0.6 < masked.mean() < 0.95
    assert set(np.unique(masked)) == {0.0, 1.0}
    assert masked.reshape(64, -1).mean(axis=1).min() > 0.3


def test_a_lead_in_precedes_the_same_clip() -> None:
    audio = words()
    led = augment.augment(audio, STILL, NO_BED, RATE_HZ, np.random.default_rng(0), lead_in_samples=8_000)
    assert led.shape == (8, 8_000 + RATE_HZ)
    assert np.abs(led[:, 8_000:].astype(int) - audio).max() < 120
    assert np.abs(led[:, :8_000]).max() < 120


def test_noise_begins_before_the_clip_and_keeps_its_distance() -> None:
    audio = words(40)
    recipe = STILL.model_copy(update={"noise_share": 1.0, "snr_db": (10.0, 10.0)})
    led = augment.augment(audio, recipe, NO_BED, RATE_HZ, np.random.default_rng(0), lead_in_samples=16_000)
    before = np.square(led[:, :16_000].astype(float)).mean(axis=1)
    speech = np.square(audio.astype(float)).mean(axis=1)
    assert np.median(10 * np.log10(speech / before)) == pytest.approx(10, abs=2)


def test_other_words_are_heard_before_a_share_of_the_clips() -> None:
    bed = augment.NoiseBed((), words(3))
    lead_in = LeadInRecipe(speech_share=0.5)
    recipe = STILL.model_copy(update={"lead_in": lead_in})
    led = augment.augment(words(200), recipe, bed, RATE_HZ, np.random.default_rng(0), lead_in_samples=16_000)
    spoken = np.abs(led[:, :16_000]).max(axis=1) > 500
    assert 0.35 < spoken.mean() < 0.65


def test_background_is_that_of_the_clip() -> None:
    rng = np.random.default_rng(0)
    hiss = rng.normal(0, 100, (20, RATE_HZ))
    low = np.cumsum(rng.normal(0, 3, (20, RATE_HZ)), axis=1)
    low -= low.mean(axis=1, keepdims=True)
    for background in (hiss, low):
        clips = (background + words(20)).clip(-32768, 32767).astype(np.int16)
        made = noise.like_background(clips, 32_000, rng)
        assert made.shape == (20, 32_000)
        expected = np.sqrt(
            np.square(np.concatenate([clips[:, :4_800], clips[:, 11_200:]], axis=1).astype(float)).mean()
        )
        assert 0.3 < np.sqrt(np.square(made).mean()) / expected < 1.2
    treble = [
        np.abs(np.fft.rfft(noise.like_background(each.astype(np.int16), 16_000, rng)))[:, 4_000:].sum()
        for each in (hiss, low)
    ]
    assert treble[0] > 10 * treble[1]


def test_digital_silence_is_preceded_by_itself() -> None:
    assert not noise.like_background(words(), 16_000, np.random.default_rng(0)).any()
