"""Generated background sounds: coloured noise, hum and quiet rooms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FRAME_SAMPLES = 512


def coloured(count: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise with power falling as 1/f^b, b drawn from -0.5 to 2.5: white, pink, brown and between.

    A random bump in the spectrum makes rows differ as fans, taps and traffic do, and a slow random
    envelope makes them move.

    Returns:
        float32 [count, samples], RMS 1 per row.
    """
    drawn = _quick_length(samples)
    bins = drawn // 2 + 1
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
    sound = np.fft.irfft(spectrum * amplitude, n=drawn, axis=1)[:, :samples].astype(np.float32)
    return unit_rms(sound * _slow_envelope(count, samples, rng))


def _quick_length(samples: int) -> int:
    """The smallest product of twos, threes and fives from `samples` on: other lengths take a transform
    up to fifteen times as long.
    """
    odd: list[int] = [3**threes * 5**fives for threes in range(16) for fives in range(11)]
    return min(part << (max(1, -(-samples // part)) - 1).bit_length() for part in odd)


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


def everyday(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """One sound of a home or a street, over faint coloured noise: knocks, music, a machine or wind.

    Returns:
        float32 [samples], RMS 1.
    """
    kinds = (_knocks, _music, _machine, _wind)
    sound = kinds[int(rng.integers(len(kinds)))](samples, sample_rate_hz, rng)
    mixed: NDArray[np.float32] = unit_rms(unit_rms(sound[None]) + 0.1 * coloured(1, samples, rng))[0]
    return mixed


def _knocks(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Steps, dishes, keys, a hammer: bursts of a few resonances that decay within 10 to 200 ms."""
    sound = np.zeros(samples, np.float32)
    time_s = np.arange(sample_rate_hz // 2, dtype=np.float32) / sample_rate_hz
    a_second = np.exp(rng.uniform(np.log(0.3), np.log(8)))
    for at in rng.integers(samples, size=max(1, rng.poisson(a_second * samples / sample_rate_hz))):
        decay_s = np.exp(rng.uniform(np.log(0.01), np.log(0.2)))
        hz = np.exp(rng.uniform(np.log(80), np.log(0.45 * sample_rate_hz), 4))[:, None]
        burst = np.sin(2 * np.pi * hz * time_s + rng.uniform(0, 6.3, (4, 1))).sum(axis=0)
        burst += rng.uniform(0, 2) * rng.standard_normal(len(time_s))
        piece = (burst * np.exp(-time_s / decay_s) * rng.uniform(0.2, 1))[: samples - at]
        sound[at : at + len(piece)] += piece.astype(np.float32)
    return sound


def _music(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Chords of a few voices with harmonics, plucked or held, at a steady beat."""
    sound = np.zeros(samples, np.float32)
    beat = int(sample_rate_hz * rng.uniform(0.15, 0.7))
    key_hz, harmonics = rng.uniform(80, 300), np.arange(1, 9)[:, None]
    decay_s = np.exp(rng.uniform(np.log(0.1), np.log(3)))
    brightness = rng.uniform(0.8, 2.5)
    for at in range(0, samples, beat):
        time_s = np.arange(min(2 * beat, samples - at), dtype=np.float32) / sample_rate_hz
        envelope = np.minimum(time_s / 0.01, 1) * np.exp(-time_s / decay_s)
        for step in rng.choice([0, 2, 4, 5, 7, 9, 12, 16], size=int(rng.integers(1, 4))):
            hz = key_hz * 2 ** (step / 12)
            tone = (np.sin(2 * np.pi * hz * harmonics * time_s) / harmonics**brightness).sum(axis=0)
            sound[at : at + len(time_s)] += (tone * envelope).astype(np.float32)
    return sound


def _machine(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A motor: harmonics of a speed that wavers, and noise that pulses with it."""
    at = np.linspace(0, 7, samples)
    speed_hz = rng.uniform(20, 200) * np.interp(at, np.arange(8), rng.uniform(0.9, 1.1, 8))
    phase = 2 * np.pi * np.cumsum(speed_hz) / sample_rate_hz
    strengths = rng.exponential(1.0, 12) / np.arange(1, 13) ** rng.uniform(0, 1.5)
    tones = sum(strength * np.sin((k + 1) * phase) for k, strength in enumerate(strengths))
    air = coloured(1, samples, rng)[0] * (1 + rng.uniform(0, 1) * np.sin(phase))
    sound: NDArray[np.float32] = (tones + rng.uniform(0, 3) * air).astype(np.float32)
    return sound


def _wind(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gusts of low noise."""
    drawn = _quick_length(samples)
    spectrum = np.fft.rfft(rng.standard_normal(drawn, np.float32))
    hz = np.fft.rfftfreq(drawn, 1 / sample_rate_hz)
    rumble = np.fft.irfft(spectrum / (1 + np.square(hz / rng.uniform(60, 600))), n=drawn)[:samples]
    knots = max(2, samples // sample_rate_hz * 2)
    gusts = np.interp(np.linspace(0, knots - 1, samples), np.arange(knots), rng.uniform(0, 1, knots) ** 2)
    sound: NDArray[np.float32] = (rumble * gusts).astype(np.float32)
    return sound


def unit_rms(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to RMS 1; rows of zeros stay."""
    rms = np.sqrt(np.mean(np.square(sound), axis=1, keepdims=True))
    level: NDArray[np.float32] = (sound / np.maximum(rms, 1e-9)).astype(np.float32)
    return level


def like_background(audio: NDArray[np.int16], samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Stationary noise with the spectrum and level of each clip's own background.

    The background is the mean spectrum of the clip's quietest fifth of frames. Clips between exact zeros get
    zeros.

    Args:
        audio: int16 [clips, at least 512 samples].
        samples: how much to make.
        rng: source of chance.

    Returns:
        float32 [clips, samples], in units of `audio`.
    """
    clips = len(audio)
    whole = audio.shape[1] // _FRAME_SAMPLES * _FRAME_SAMPLES
    frames = audio[:, :whole].reshape(clips, -1, _FRAME_SAMPLES).astype(np.float32)
    power = np.square(frames).mean(axis=2)
    quietest = np.argsort(power, axis=1)[:, : max(1, frames.shape[1] // 5), None]
    window = np.hanning(_FRAME_SAMPLES).astype(np.float32)
    density = np.square(np.abs(np.fft.rfft(np.take_along_axis(frames, quietest, axis=1) * window, axis=2)))
    amplitude = np.sqrt(density.mean(axis=1))
    at = np.linspace(0, amplitude.shape[1] - 1, samples // 2 + 1)
    left = np.minimum(at.astype(int), amplitude.shape[1] - 2)
    share = (at - left).astype(np.float32)
    shape = amplitude[:, left] * (1 - share) + amplitude[:, left + 1] * share
    noise = rng.standard_normal((2, *shape.shape), np.float32)
    sound = np.fft.irfft((noise[0] + 1j * noise[1]) * shape, n=samples, axis=1).astype(np.float32)
    level = np.sqrt(np.take_along_axis(power, quietest[:, :, 0], axis=1).mean(axis=1, keepdims=True))
    background: NDArray[np.float32] = unit_rms(sound) * level
    return background
