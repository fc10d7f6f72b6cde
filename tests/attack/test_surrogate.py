"""The differentiable stand-ins are like the board's integers, and the gradient is that of the loss."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.features.audio_frontend import FEATURE_UNITS_PER_FLOAT, extract_batch
from tinyml_cli.features.settings import AudioFrontendSettings

tf = pytest.importorskip("tensorflow", reason="extra `train` is not installed")


def _clips() -> np.ndarray:
    """A rising tone, a falling one and bursts of noise, int16 [3, 16000]."""
    rng = np.random.default_rng(9)
    t = np.arange(16000) / 16000
    envelope = np.sin(np.pi * np.clip((t - 0.25) / 0.5, 0, 1)) ** 2
    tones = [np.sin(2 * np.pi * (start * t + slope * t**2)) for start, slope in ((300, 900), (2500, -900))]
    bursts = rng.normal(0, 1, 16000) * (np.sin(2 * np.pi * 4 * t) > 0.5)
    loud = np.stack([*tones, bursts]) * envelope * np.array([[6000], [2500], [900]])
    return np.rint(loud + rng.normal(0, 6, loud.shape)).astype(np.int16)


@pytest.mark.parametrize(
    "settings",
    [AudioFrontendSettings(), AudioFrontendSettings(sample_rate_hz=8000, upper_hz=3800, channels=16)],
)
def test_the_front_end_is_like_the_integers(settings: AudioFrontendSettings) -> None:
    from tinyml_cli.attack.surrogate import sound

    quiet = np.random.default_rng(1).integers(-6, 7, settings.sample_rate_hz).astype(np.int16)
    clips = _clips()
    starts, frames = [40, 45, 50], 20
    streams = np.concatenate([np.tile(quiet, (3, 1)), clips], axis=1)
    board = extract_batch(streams, settings)
    exact = board[:, np.array(starts)[:, None] + np.arange(frames)] / FEATURE_UNITS_PER_FLOAT
    soft = sound(settings, quiet, np.zeros(0, np.int16), starts, frames)(tf.constant(clips, tf.float32))
    soft = soft.numpy()[..., 0]
    assert soft.shape == exact.shape
    assert min(np.corrcoef(*pair.reshape(2, -1))[0, 1] for pair in np.stack([soft, exact], axis=1)) > 0.92
    heard = exact > 5  # quiet bins, which the integers floor to 0, are left out
    assert np.abs(soft - exact)[heard].mean() < 0.8


@pytest.mark.parametrize("turned", [False, True])
def test_a_drawn_stroke_is_like_its_picture(turned: bool) -> None:
    from tinyml_cli.attack.surrogate import strokes
    from tinyml_cli.features import motion
    from tinyml_cli.features.raster import rasterise

    angle = np.linspace(0.3, 5.0, 64)
    points = np.rint(90 * np.stack([np.sin(angle), np.cos(2 * angle)], axis=-1)).astype(np.int8)
    picture = rasterise(motion.turned(points) if turned else points) / 255
    with tf.GradientTape() as tape:
        given = tf.constant(points[None], tf.float32)
        tape.watch(given)
        soft = strokes(turned)(given)
        slope = tape.gradient(tf.reduce_sum(soft[0, 0, :16]), given)
    assert np.corrcoef(soft.numpy().ravel(), picture.ravel())[0, 1] > 0.75
    assert np.isfinite(slope.numpy()).all() and np.abs(slope.numpy()).max() > 0


def test_the_loss_is_minus_the_log_of_the_wanted_probability() -> None:
    from tinyml_cli.attack.surrogate import _softplus_of_odds

    logits = np.random.default_rng(3).normal(0, 3, (5, 2, 4)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 3])
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    wanted = np.take_along_axis(chances, labels[:, None, None], axis=-1)[..., 0]
    toward = _softplus_of_odds(tf.constant(logits), labels, 1.0).numpy()
    away = _softplus_of_odds(tf.constant(logits), labels, -1.0).numpy()
    np.testing.assert_allclose(toward, -np.log(wanted), atol=1e-4)
    np.testing.assert_allclose(away, -np.log1p(-wanted), atol=1e-4)


def test_pixels_and_motion_are_exact() -> None:
    from tinyml_cli.attack.surrogate import linear
    from tinyml_cli.features.gesture_settings import ImuInput
    from tinyml_cli.features.image_settings import ImageInput
    from tinyml_cli.features.motion_windows import to_real
    from tinyml_cli.training.image_batches import to_float

    rng = np.random.default_rng(6)
    pixels, image = rng.integers(0, 256, (2, 4, 4, 3)).astype(np.uint8), ImageInput(low=-1, high=1)
    soft = linear((image.high - image.low) / 255, image.low)(tf.constant(pixels, tf.float32))
    np.testing.assert_allclose(soft.numpy()[:, 0], to_float(pixels, image), atol=1e-6)
    windows, imu = rng.integers(-3000, 3000, (2, 20, 6)).astype(np.int16), ImuInput()
    soft = linear(1 / np.array(imu.deviations), channel=True)(tf.constant(windows, tf.float32))
    np.testing.assert_allclose(soft.numpy()[:, 0], to_real(windows, imu), atol=1e-6)
