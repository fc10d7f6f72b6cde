"""The front end in numpy: the same integers as `firmware/lib/audio_frontend`, many clips at a time.

Frames (or clips) are on the last axis wherever a table runs along the first, so that every numpy
operation works on long contiguous rows. Integers wrap where the C code's do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.tables import (
    LOG_ONE,
    LOG_SEGMENTS,
    NOISE_BITS,
    SNR_BITS,
    WINDOW_BITS,
    FrontendTables,
)

Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

FRAMES_PER_BLOCK = 256  # keeps the FFT's arrays in a core's second-level cache
LN2_Q16 = 45426
PCAN_OUTPUT_BITS = 6
UINT32_MASK = 0xFFFFFFFF


def extract(audio: Int16Array, tables: FrontendTables) -> NDArray[np.uint16]:
    """Features uint16 [clips, frames, channels] of int16 [clips, samples]; every clip starts from silence."""
    if not len(audio):
        return np.zeros((0, tables.settings.frames(audio.shape[1]), tables.settings.channels), np.uint16)
    return resume(audio, tables, np.zeros((len(audio), tables.settings.channels), np.uint32))


def resume(audio: Int16Array, tables: FrontendTables, noise: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """`extract` of clips that go on.

    Args:
        audio: int16 [clips, samples].
        tables: of the front end.
        noise: uint32 [clips, channels], the noise estimate before them, which becomes the one after them.
    """
    settings = tables.settings
    clips, frames = len(audio), settings.frames(audio.shape[1])
    if not frames:
        return np.zeros((clips, frames, settings.channels), np.uint16)
    windows = np.lib.stride_tricks.sliding_window_view(audio, settings.window_samples, axis=1)
    windows = windows[:, :: settings.stride_samples].reshape(clips * frames, settings.window_samples)
    matrix = filter_matrix(tables)
    bands = np.concatenate(
        [
            _filter_bank(windows[start : start + FRAMES_PER_BLOCK], tables, matrix)
            for start in range(0, len(windows), FRAMES_PER_BLOCK)
        ]
    )
    return _compress(bands.reshape(clips, frames, settings.channels), tables, noise)


def white_noise_magnitude(tables: FrontendTables) -> float:
    """The filter bank's mean magnitude for white noise, for each unit of its RMS in int16 units."""
    rms = 1000.0
    noise = np.random.default_rng(0).normal(0, rms, (FRAMES_PER_BLOCK, tables.settings.window_samples))
    windows = np.rint(noise).clip(-32768, 32767).astype(np.int16)
    return float(_filter_bank(windows, tables, filter_matrix(tables)).mean()) / rms


def filter_matrix(tables: FrontendTables) -> NDArray[np.float64]:
    """The filter bank as a matrix [channels, bins]."""
    channels = tables.settings.channels
    band_of_bin = np.repeat(np.arange(channels + 1), tables.band_widths)
    bins = np.arange(len(band_of_bin))
    matrix = np.zeros((channels + 2, len(bins)))
    matrix[band_of_bin, bins] = tables.falling  # row r holds channel r - 1
    matrix[band_of_bin + 1, bins] = tables.rising
    return matrix[1:-1]


def _filter_bank(windows: Int16Array, tables: FrontendTables, matrix: NDArray[np.float64]) -> Int64Array:
    """Magnitude per mel band, int64 [frames, channels], of windows int16 [frames, window_samples]."""
    real, imaginary, shift = _scaled_input(windows, tables)
    energy = _spectrum_energy(*_complex_fft(real, imaginary, tables), tables)
    # Exact in double: at most 2^31 per bin times 2^12 times 513 bins, below 2^53.
    sums = (matrix @ energy.astype(np.float64)).astype(np.int64)
    return (_rounded_sqrt(sums) >> shift).T


def _scaled_input(windows: Int16Array, tables: FrontendTables) -> tuple[Int16Array, Int16Array, Int64Array]:
    """Windowed frames at full scale, in FFT input order [n/2, frames], and the shift of each frame."""
    windowed = (np.multiply(windows, tables.window, dtype=np.int32) >> WINDOW_BITS).astype(np.int16)
    # -32768 has no absolute value in 16 bits and does not count.
    peak = np.abs(windowed).max(axis=1).clip(0)
    shift = 15 - _bit_length(peak.astype(np.int64))
    padded = np.zeros((len(windows), tables.settings.fft_size), np.int16)
    np.left_shift(windowed, shift[:, None].astype(np.int16), out=padded[:, : windowed.shape[1]])
    ordered = np.empty((tables.settings.fft_size // 2, 2, len(windows)), np.int16)
    ordered[tables.fft_order] = padded.T.reshape(-1, 2, len(windows))
    return ordered[:, 0], ordered[:, 1], shift


def _divided(values: Int16Array, divisor: int) -> Int32Array:
    """values / divisor as a Q15 product with 32767 // divisor, rounded half up."""
    return _q15(np.multiply(values, 32767 // divisor, dtype=np.int32))


def _q15(products: Int32Array) -> Int32Array:
    products += 1 << 14
    products >>= 15
    return products


def _rotated(real: Int32Array, imaginary: Int32Array, twiddles: Int16Array) -> tuple[Int32Array, Int32Array]:
    """Complex product with twiddles [k, 2] along the second-last axis."""
    cosine = twiddles[:, :1].astype(np.int32)
    sine = twiddles[:, 1:].astype(np.int32)
    return _q15(real * cosine - imaginary * sine), _q15(real * sine + imaginary * cosine)


def _complex_fft(
    real: Int16Array, imaginary: Int16Array, tables: FrontendTables
) -> tuple[Int16Array, Int16Array]:
    """Decimation in time over the first axis; every radix-r butterfly divides by r, so nothing grows."""
    points, frames = real.shape
    span = 1
    if points.bit_length() % 2 == 0:
        real, imaginary = _radix2_first(real, imaginary)
        span = 2
    while span < points:
        shape = (points // (4 * span), 4, span, frames)
        step = points // (4 * span)
        legs = _radix4(real.reshape(shape), imaginary.reshape(shape), step, tables.fft_twiddles)
        real, imaginary = legs[0].reshape(points, frames), legs[1].reshape(points, frames)
        span *= 4
    return real, imaginary


def _radix2_first(real: Int16Array, imaginary: Int16Array) -> tuple[Int16Array, Int16Array]:
    out = []
    for part in (real, imaginary):
        halves = _divided(part, 2).reshape(len(part) // 2, 2, -1)
        sums = np.stack([halves[:, 0] + halves[:, 1], halves[:, 0] - halves[:, 1]], axis=1)
        out.append(sums.reshape(part.shape).astype(np.int16))
    return out[0], out[1]


def _radix4(
    real: Int16Array, imaginary: Int16Array, step: int, twiddles: Int16Array
) -> tuple[Int16Array, Int16Array]:
    """One stage of radix-4 butterflies over axis 1 of [groups, 4, span, frames]."""
    span = real.shape[2]
    re, im = _divided(real, 4), _divided(imaginary, 4)
    k = np.arange(span) * step
    if span == 1:  # the rotation is by 32767/32768, which rounds to the identity below 2^14
        r1, i1, r2, i2, r3, i3 = re[:, 1], im[:, 1], re[:, 2], im[:, 2], re[:, 3], im[:, 3]
    else:
        r1, i1 = _rotated(re[:, 1], im[:, 1], twiddles[k])
        r2, i2 = _rotated(re[:, 2], im[:, 2], twiddles[2 * k])
        r3, i3 = _rotated(re[:, 3], im[:, 3], twiddles[3 * k])
    even_r, even_i = re[:, 0] + r2, im[:, 0] + i2
    odd_r, odd_i = re[:, 0] - r2, im[:, 0] - i2
    sum_r, sum_i = r1 + r3, i1 + i3
    difference_r, difference_i = r1 - r3, i1 - i3
    out_r, out_i = np.empty_like(real), np.empty_like(imaginary)
    legs = (
        (even_r + sum_r, even_i + sum_i),
        (odd_r + difference_i, odd_i - difference_r),
        (even_r - sum_r, even_i - sum_i),
        (odd_r - difference_i, odd_i + difference_r),
    )
    for leg, (leg_r, leg_i) in enumerate(legs):
        out_r[:, leg], out_i[:, leg] = leg_r, leg_i
    return out_r, out_i


def _spectrum_energy(real: Int16Array, imaginary: Int16Array, tables: FrontendTables) -> Int32Array:
    """Squared magnitudes [bins, frames] of the real signal whose even and odd samples were packed."""
    points = len(real)
    k = np.arange(1, points // 2 + 1)
    up_r, up_i = _divided(real[k], 2), _divided(imaginary[k], 2)
    # The device negates in 16 bits, where -32768 stays itself.
    down_r, down_i = _divided(real[points - k], 2), _divided(np.negative(imaginary[points - k]), 2)
    sum_r, sum_i = up_r + down_r, up_i + down_i
    turn_r, turn_i = _rotated(up_r - down_r, up_i - down_i, tables.split_twiddles)
    # The device keeps the turned half in 16 bits; its sum is halved, so a wrap would show.
    turn_r, turn_i = turn_r.astype(np.int16).astype(np.int32), turn_i.astype(np.int16).astype(np.int32)
    energy = np.zeros((points, real.shape[1]), np.int32)
    energy[k] = _energy((sum_r + turn_r) >> 1, (sum_i + turn_i) >> 1)
    energy[points - k] = _energy((sum_r - turn_r) >> 1, (turn_i - sum_i) >> 1)
    return energy[tables.first_bin : tables.last_bin]


def _energy(real: Int32Array, imaginary: Int32Array) -> Int32Array:
    r, i = real.astype(np.int16).astype(np.int32), imaginary.astype(np.int16).astype(np.int32)
    return r * r + i * i


def _rounded_sqrt(values: Int64Array) -> Int64Array:
    """Nearest integer to the root of values below 2^52; values below 2^32 give at most 65535."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)
    up = (values - root * root > root) & ~((root == 0xFFFF) & (values <= UINT32_MASK))
    rounded: Int64Array = root + up
    return rounded


def _bit_length(values: Int64Array) -> Int64Array:
    """Significant bits of non-negative integers below 2^53; 0 for 0."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _compress(bands: Int64Array, tables: FrontendTables, before: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Noise reduction, gain control and logarithm of [clips, frames, channels]."""
    scalars = tables.scalars()
    smoothing_bits = scalars["smoothing_bits"]
    scaled_up = (bands << smoothing_bits) & UINT32_MASK
    noise = _noise_estimate(scaled_up, scalars["even_smoothing"], scalars["odd_smoothing"], before)
    before[:] = noise[:, -1]
    floor = (bands * scalars["min_signal_remaining"]) >> NOISE_BITS
    signal = np.maximum((scaled_up - np.minimum(noise, scaled_up)) >> smoothing_bits, floor)
    shrunk = _shrunk_snr(signal, _gain(noise, tables), scalars["snr_shift"])
    return _log((shrunk << scalars["correction_bits"]) & UINT32_MASK, scalars["log_scale_shift"], tables)


def _noise_estimate(scaled_up: Int64Array, even: int, odd: int, before: NDArray[np.uint32]) -> Int64Array:
    """First-order low pass per channel; even and odd channels have their own constants."""
    share = np.where(np.arange(scaled_up.shape[2]) % 2 == 0, even, odd)
    estimates = scaled_up * share
    previous = before.astype(np.int64)
    for frame in range(estimates.shape[1]):
        previous = (estimates[:, frame] + previous * ((1 << NOISE_BITS) - share)) >> NOISE_BITS
        estimates[:, frame] = previous
    return estimates


def _gain(noise: Int64Array, tables: FrontendTables) -> Int64Array:
    octave = _bit_length(noise)
    position = np.where(octave < 11, noise << np.maximum(11 - octave, 0), noise >> np.maximum(octave - 11, 0))
    position &= 0x3FF
    rows = tables.gain.astype(np.int64)[octave]
    slope = ((rows[..., 2] * position) >> 5) + (rows[..., 1] << 5)
    return ((slope * position + (1 << 14)) >> 15) + rows[..., 0]


def _shrunk_snr(signal: Int64Array, gain: Int64Array, snr_shift: int) -> Int64Array:
    """Quadratic below an SNR of 2, linear above."""
    snr = ((signal * gain.astype(np.int16)) >> snr_shift) & UINT32_MASK
    small = (snr * snr) >> (2 + 2 * SNR_BITS - PCAN_OUTPUT_BITS)
    large = (snr >> (SNR_BITS - PCAN_OUTPUT_BITS)) - (1 << PCAN_OUTPUT_BITS)
    return np.where(snr < (2 << SNR_BITS), small, large)


def _log(values: Int64Array, scale_shift: int, tables: FrontendTables) -> NDArray[np.uint16]:
    """ln(value) * 2^scale_shift: a line per octave plus a table of what the line lacks."""
    octave = np.maximum(_bit_length(values) - 1, 0)
    fraction = values - (np.int64(1) << octave)
    fraction = np.where(
        octave < 16, fraction << np.maximum(16 - octave, 0), fraction >> np.maximum(octave - 16, 0)
    )
    segment_size = LOG_ONE // LOG_SEGMENTS
    segment = np.clip(fraction // segment_size, 0, LOG_SEGMENTS - 1)
    error = tables.log2_error.astype(np.int64)
    rise = error[segment + 1] - error[segment]
    fraction += error[segment] + ((rise * (fraction - segment_size * segment)) >> 16)
    natural = (LN2_Q16 * ((octave << 16) + fraction) + LOG_ONE // 2) >> 16
    scaled = ((natural << scale_shift) + LOG_ONE // 2) >> 16
    return np.where(values > 1, np.minimum(scaled, 0xFFFF), 0).astype(np.uint16)
