"""Generated background sounds: coloured noise, hum and quiet rooms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coloured(count: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise with power falling as 1/f^b, b drawn from -0.5 to 2.5: white, pink, brown and between.

    A random bump in the spectrum makes rows differ as fans, taps and traffic do, and a slow random
    envelope makes them move.

    Returns:
        float32 [count, samples], RMS 1 per row.
    """
    bins = samples // 2 + 1
    frequency = np.linspace(0.0, 1.0, bins, dtype=np.float32)
    frequency[0] = frequency[1]
    exponent = rng.uniform(-0.5, 2.5, (count, 1)).astype(np.float32)
    centre = np.exp(rng.uniform(np.log(0.01), np.log(0.8), (count, 1))).astype(np.float32)
    height = rng.uniform(0, 3, (count, 1)).astype(np.float32) * (rng.random((count, 1)) < 0.5)
    amplitude = frequency ** (-exponent / 2) * (
        1 + height * np.exp(-np.square(np.log(frequency / centre)) / 0.3)
    )
    spectrum = rng.standard_normal((count, bins), np.float32) + 1j * rng.standard_normal(
        (count, bins), np.float32
    )
    sound = np.fft.irfft(spectrum * amplitude, n=samples, axis=1).astype(np.float32)
    return unit_rms(sound * _slow_envelope(count, samples, rng))


def _slow_envelope(count: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Random loudness that drifts a few times a second; constant for half of the rows."""
    knots = rng.uniform(-9, 9, (count, 6)) * (rng.random((count, 1)) < 0.5)
    at = np.linspace(0, 5, samples)
    left = np.minimum(at.astype(int), 4)
    decibel = knots[:, left] * (1 - (at - left)) + knots[:, left + 1] * (at - left)
    envelope: NDArray[np.float32] = np.power(10.0, decibel / 20.0).astype(np.float32)
    return envelope


def hum(count: int, samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mains hum of 50 or 60 Hz with ten harmonics of random strength; float32 [count, samples], RMS 1."""
    time_s = np.arange(samples, dtype=np.float32) / sample_rate_hz
    base_hz = rng.choice([50.0, 60.0], (count, 1)) * rng.uniform(0.99, 1.01, (count, 1))
    sound = np.zeros((count, samples), np.float32)
    for harmonic in range(1, 11):
        strength = rng.exponential(1.0, (count, 1)) / harmonic
        phase = rng.uniform(0, 2 * np.pi, (count, 1))
        sound += (strength * np.sin(2 * np.pi * harmonic * base_hz * time_s + phase)).astype(np.float32)
    return unit_rms(sound)


def unit_rms(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to RMS 1; rows of zeros stay."""
    rms = np.sqrt(np.mean(np.square(sound), axis=1, keepdims=True))
    level: NDArray[np.float32] = (sound / np.maximum(rms, 1e-9)).astype(np.float32)
    return level
