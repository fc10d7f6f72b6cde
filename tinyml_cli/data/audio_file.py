"""Audio of any rate, length and channel count as mono int16 at one rate."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import webm
from tinyml_cli.limits import over_limit

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg")
# Beyond these a header is damaged rather than unusual.
SUPPORTED_RATES_HZ = range(4_000, 768_001)

_SAMPLE_BYTES = 4
_ZERO_CROSSINGS = 24
_KAISER_BETA = 9.0
_PASS_BAND_SHARE = 0.94


class UnreadableAudioError(Exception):
    """A file that holds no usable audio; the text says why."""


def read_audio(path: Path, sample_rate_hz: int) -> NDArray[np.int16]:
    """Reads a file, mixes its channels and resamples it.

    Returns:
        int16 [samples] at `sample_rate_hz`.

    Raises:
        UnreadableAudioError: damaged, empty, not finite, or an impossible sample rate.
    """
    frames, file_rate_hz = read_frames(path)
    return to_int16(resample(frames.mean(axis=1), file_rate_hz, sample_rate_hz))


def read_frames(path: Path) -> tuple[NDArray[np.float32], int]:
    """Reads a file as it is: (float32 [samples, channels] with full scale 1.0, its rate in Hz).

    Raises:
        UnreadableAudioError: as read_audio.
    """
    import soundfile

    try:
        if reason := over_limit(path.stat().st_size):
            raise UnreadableAudioError(reason)
        source = webm.opus_as_ogg(path.read_bytes()) if webm.is_webm(path) else path
        with soundfile.SoundFile(source) as sound:
            if reason := over_limit(sound.frames * sound.channels * _SAMPLE_BYTES):
                raise UnreadableAudioError(reason)
            samples, file_rate_hz = sound.read(dtype="float32", always_2d=True), sound.samplerate
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError) as error:
        raise UnreadableAudioError(str(error).rstrip(".")) from error
    if len(samples) == 0:
        raise UnreadableAudioError("it holds no samples")
    if file_rate_hz not in SUPPORTED_RATES_HZ:
        raise UnreadableAudioError(f"its header says {file_rate_hz} Hz")
    if not np.isfinite(samples).all():
        raise UnreadableAudioError("it holds samples that are not numbers")
    return samples, int(file_rate_hz)


def to_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Full scale 1.0 -> 32768, rounded and clipped; same shape."""
    rounded: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return rounded


def resample(samples: NDArray[np.floating], from_hz: float, to_hz: float) -> NDArray[np.float32]:
    """Band-limited resampling with a polyphase Kaiser-windowed sinc.

    The ratio is rounded to a fraction with terms below 1,000 (an error under one part in a million).
    Polyphase form as in Crochiere and Rabiner, "Multirate Digital Signal Processing", 1983, chapter 2.

    Args:
        samples: [n].
        from_hz: rate of `samples`.
        to_hz: rate wanted.

    Returns:
        float32 [round(n * to_hz / from_hz)], at least one sample.
    """
    ratio = Fraction(to_hz / from_hz).limit_denominator(999)
    up, down = ratio.numerator, ratio.denominator
    if up == down:
        return samples.astype(np.float32)
    taps, delay = _polyphase_taps(up, down)
    width = taps.shape[1]
    count = max(1, round(len(samples) * up / down))
    padded = np.pad(samples.astype(np.float32), (delay, width + down))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    output = np.zeros(count, np.float32)
    for start in range(min(up, count)):
        phase, base = (start * down) % up, (start * down) // up
        lines = windows[base::down][: len(output[start::up])]
        output[start::up][: len(lines)] = lines @ taps[phase]
    return output


@lru_cache(maxsize=8)
def _polyphase_taps(up: int, down: int) -> tuple[NDArray[np.float32], int]:
    """(taps [up, width], input samples of padding that centre the filter)."""
    widest = max(up, down)
    half = int(np.ceil(_ZERO_CROSSINGS * widest / up))
    width = 2 * half
    # Distance, in input samples, of each tap from the output instant of each phase.
    distance = np.arange(width)[None, :] - (half - 1) - np.arange(up)[:, None] / up
    cutoff = _PASS_BAND_SHARE * up / widest
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    taps = cutoff * np.sinc(cutoff * distance) * window
    taps /= taps.sum(axis=1, keepdims=True)
    return taps.astype(np.float32), half - 1


def fit_length(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """Exactly `length` samples: short audio centred in zeros, of long audio the loudest stretch."""
    if len(samples) <= length:
        before = (length - len(samples)) // 2
        return np.pad(samples, (before, length - len(samples) - before))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]
