"""The host side of firmware/lib/anomaly/signal_features.c: the same integers in numpy."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import SUMMARY_FEATURES, SignalInput

_TRIG_BITS = 14
_MANTISSA_BITS = np.uint64(15)
_LOG_FRACTION_BITS = 8
_MULTIPLIER_BITS = 30
_BATCH = 512


def cosine_table(window_samples: int) -> NDArray[np.int16]:
    """One period of the cosine in Q14, int16 [window_samples]."""
    angle = 2 * np.pi * np.arange(window_samples) / window_samples
    table: NDArray[np.int16] = np.rint(np.cos(angle) * (1 << _TRIG_BITS)).astype(np.int16)
    return table


def extract_windows(samples: NDArray[np.int16], settings: SignalInput) -> NDArray[np.int32]:
    """Features int32 [n, features] of windows int16 [n, window_samples, channels]."""
    if not settings.bands:
        return samples.reshape(len(samples), -1).astype(np.int32)
    features = np.empty((len(samples), settings.n_features), np.int32)
    for start in range(0, len(samples), _BATCH):
        block = samples[start : start + _BATCH].astype(np.int64)
        channels = [_channel(block[:, :, index], settings) for index in range(block.shape[2])]
        features[start : start + _BATCH] = np.concatenate(channels, axis=1)
    return features


def feature_names(settings: SignalInput) -> list[str]:
    """What each feature is, in order."""
    if not settings.bands:
        return [f"{name}[{i}]" for i in range(settings.window_samples) for name in settings.channels]
    half_hz = settings.sample_rate_hz / 2
    bands = [
        f"{half_hz * band / settings.bands:.3g}-{half_hz * (band + 1) / settings.bands:.3g} Hz"
        for band in range(settings.bands)
    ]
    return [f"{channel} {part}" for channel in settings.channels for part in (*SUMMARY_FEATURES, *bands)]


def log2_q8(values: NDArray[np.uint64]) -> NDArray[np.int32]:
    """signal_log2_q8 of each value, all at least 1."""
    # frexp gives mantissas within [0.5, 1); above 53 bits its rounding could reach the next power of two.
    exponent = np.clip(np.frexp(values.astype(np.float64))[1].astype(np.int64) - 1, 0, 63)
    exponent -= (values >> exponent.astype(np.uint64)) == 0
    up = np.clip(15 - exponent, 0, 63).astype(np.uint64)
    down = np.clip(exponent - 15, 0, 63).astype(np.uint64)
    mantissa = (values << up) >> down
    result = exponent.copy()
    for _ in range(_LOG_FRACTION_BITS):
        mantissa = (mantissa * mantissa) >> _MANTISSA_BITS
        digit = mantissa >> (_MANTISSA_BITS + np.uint64(1))
        mantissa = mantissa >> digit
        result = 2 * result + digit.astype(np.int64)
    return result.astype(np.int32)


def _channel(samples: NDArray[np.int64], settings: SignalInput) -> NDArray[np.int32]:
    """int32 [n, 4 + bands] of one channel int64 [n, window_samples]."""
    window = settings.window_samples
    mean = samples.sum(axis=1) >> (window.bit_length() - 1)
    centred = samples - mean[:, None]
    floor = settings.floor_lsb**2 * window
    power = centred**2
    energy = log2_q8((power.sum(axis=1) + floor).astype(np.uint64))
    difference = log2_q8(((np.diff(centred, axis=1) ** 2).sum(axis=1) + floor).astype(np.uint64))
    crest = log2_q8((power.max(axis=1) * window + floor).astype(np.uint64)) - energy
    summary = np.stack([mean.astype(np.int32), energy, difference, crest], axis=1)
    return np.concatenate([summary, _bands(centred, settings, floor)], axis=1)


def _bands(centred: NDArray[np.int64], settings: SignalInput, floor: int) -> NDArray[np.int32]:
    window = settings.window_samples
    cosine = cosine_table(window).astype(np.int64)
    weight = ((1 << _TRIG_BITS) - cosine) >> 1
    tapered = (centred * weight) >> _TRIG_BITS
    bins = window // 2 - 1
    phases = np.arange(window)[:, None] * np.arange(1, bins + 1)[None, :] % window
    power = np.zeros((len(centred), bins), np.uint64)
    for table in (cosine[phases], cosine[(phases + window // 4) % window]):
        # Sums stay far below 2^53, so floating point is exact here, and fast.
        sums = (tapered.astype(np.float64) @ table.astype(np.float64)).astype(np.int64) >> _TRIG_BITS
        power += (sums * sums).astype(np.uint64)
    edges = [band * bins // settings.bands for band in range(settings.bands + 1)]
    sums_by_band = [
        power[:, low:high].sum(axis=1, dtype=np.uint64) for low, high in itertools.pairwise(edges)
    ]
    return log2_q8(np.stack(sums_by_band, axis=1) + np.uint64(floor))


def to_real(
    features: NDArray[np.int32], offsets: list[int], deviations: list[float], clip: float
) -> NDArray[np.float32]:
    """Standardised features as the float model takes them, float32 [n, features], within +-clip."""
    scale = np.array([1.0 / value if value else 0.0 for value in deviations])
    real = (features.astype(np.float64) - np.array(offsets)) * scale
    bounded: NDArray[np.float32] = np.clip(real, -clip, clip).astype(np.float32)
    return bounded


def multipliers(deviations: list[float], input_scale: float) -> tuple[NDArray[np.int32], int]:
    """(int32 [features], shift) with multiplier / 2^shift = 1 / (deviation x input_scale); 0 leaves one out.

    Raises:
        TinymlError: no feature ever changes.
    """
    factors = np.array([1.0 / (value * input_scale) if value else 0.0 for value in deviations])
    if not factors.any():
        raise TinymlError(
            "All features of the normal data are constant", "data", "Check the sensor, and record again."
        )
    shift = int(_MULTIPLIER_BITS - np.ceil(np.log2(factors.max())))
    shift = min(max(shift, 1), 62)
    return np.rint(factors * 2.0**shift).astype(np.int32), shift


def standardize(
    features: NDArray[np.int32], offsets: list[int], deviations: list[float], scale: float, zero_point: int
) -> NDArray[np.int8]:
    """The int8 model input of features int32 [n, features], by the integers of the firmware.

    Args:
        features: int32 [n, features].
        offsets: subtracted from each feature.
        deviations: what counts as 1 for the float model.
        scale, zero_point: of the model's input.
    """
    factor, shift = multipliers(deviations, scale)
    scaled = ((features.astype(np.int64) - np.array(offsets)) * factor + (1 << (shift - 1))) >> shift
    quantized: NDArray[np.int8] = np.clip(scaled + zero_point, -128, 127).astype(np.int8)
    return quantized
