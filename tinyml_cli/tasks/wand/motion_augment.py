"""Augments recorded motions: other takes, hands and sensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.wand import ImuAugmentationRecipe

Samples = NDArray[np.int16]
Floats = NDArray[np.float64]

_WARP_KNOTS = 5


def augment(windows: Samples, settings: ImuAugmentationRecipe, rng: np.random.Generator) -> Samples:
    """One variation of each window int16 [n, samples, 6], in g / 1000 and 0.1 deg/s."""
    varied = windows.astype(np.float64)
    count = len(varied)
    tempo = _factors(settings.speed, count, rng)
    varied = _resampled(varied, _moments(varied.shape[1], tempo, settings, rng))
    varied = _swung(varied, tempo, _factors(settings.amplitude, count, rng))
    varied = _turned(varied, _rotations(count, settings.rotate_rad, rng))
    bias = _each(settings.accelerometer_bias_mg, settings.gyroscope_bias_dps)
    noise = _each(settings.accelerometer_noise_mg, settings.gyroscope_noise_dps)
    varied += rng.normal(0, 1, (count, 1, 6)) * bias + rng.normal(0, 1, varied.shape) * noise
    return to_int16(varied)


def to_int16(values: Floats) -> Samples:
    """Rounded, and clipped as a board clips."""
    clipped: Samples = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return clipped


def random_rotations(angles_rad: Floats, axes: Floats) -> Floats:
    """Rotations [n, 3, 3] by angles [n] about axes [n, 3] of any length (Rodrigues' formula)."""
    x, y, z = (axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-9)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    sine, rest = np.sin(angles_rad)[:, None, None], (1 - np.cos(angles_rad))[:, None, None]
    rotations: Floats = np.eye(3) + sine * cross + rest * (cross @ cross)
    return rotations


def _factors(most: float, count: int, rng: np.random.Generator) -> Floats:
    """Within 1 / most..most, as often above 1 as below."""
    factors: Floats = np.exp(rng.uniform(-1, 1, count) * np.log(most))
    return factors


def _each(force_mg: float, rate_dps: float) -> Floats:
    """In the samples' units, [6]."""
    return np.repeat([force_mg, 10 * rate_dps], 3)


def _moments(length: int, tempo: Floats, settings: ImuAugmentationRecipe, rng: np.random.Generator) -> Floats:
    """Where in the take each sample of the variation lies, [n, samples], ever later."""
    count = len(tempo)
    paces = 1 + settings.time_warp * rng.uniform(-1, 1, (count, _WARP_KNOTS))
    at = np.linspace(0, _WARP_KNOTS - 1, length)
    pace = np.stack([np.interp(at, np.arange(_WARP_KNOTS), row) for row in paces]) * tempo[:, None]
    shift = settings.shift_share * rng.uniform(-1, 1, (count, 1)) * length
    moments: Floats = np.clip(np.cumsum(pace, axis=1) - pace[:, :1] + shift, 0, length - 1)
    return moments


def _resampled(windows: Floats, moments: Floats) -> Floats:
    low = np.minimum(moments.astype(np.int64), windows.shape[1] - 2)
    part = (moments - low)[..., None]
    rows = np.arange(len(windows))[:, None]
    values: Floats = windows[rows, low] * (1 - part) + windows[rows, low + 1] * part
    return values


def _swung(windows: Floats, tempo: Floats, amplitude: Floats) -> Floats:
    """Faster and wider: rates grow with both, accelerations with the square of the tempo; gravity stays.

    Gravity is taken for the mean of the window, made 1 g long.
    """
    mean = windows[:, :, :3].mean(axis=1, keepdims=True)
    gravity = 1000 * mean / np.maximum(np.linalg.norm(mean, axis=2, keepdims=True), 1.0)
    swing = (tempo * amplitude)[:, None, None]
    force = gravity + (windows[:, :, :3] - gravity) * swing * tempo[:, None, None]
    return np.concatenate([force, windows[:, :, 3:] * swing], axis=2)


def _turned(windows: Floats, rotations: Floats) -> Floats:
    parts = [np.einsum("nij,ntj->nti", rotations, windows[:, :, part]) for part in (slice(3), slice(3, 6))]
    return np.concatenate(parts, axis=2)


def _rotations(count: int, most_rad: float, rng: np.random.Generator) -> Floats:
    """The wand turned in the hand: about its own axis, x, and half as far about any."""
    along = np.tile([1.0, 0.0, 0.0], (count, 1))
    roll = random_rotations(rng.uniform(-most_rad, most_rad, count), along)
    tilt = random_rotations(rng.uniform(-most_rad, most_rad, count) / 2, rng.normal(0, 1, (count, 3)))
    return tilt @ roll
