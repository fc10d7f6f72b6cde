"""Changes the sample rate of sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_STRETCH_SAMPLES = 1 << 18
_ZERO_CROSSINGS = 24
_KAISER_BETA = 9.0
_PASS_BAND_SHARE = 0.94


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


def resampled(
    blocks: Iterable[Samples], from_hz: int, to_hz: int, stretch_samples: int = _STRETCH_SAMPLES
) -> Iterator[Samples]:
    """`resample` of a long sound that comes in blocks [n]: the same samples without all of them at once.

    Args:
        blocks: float32 [n], of any lengths.
        from_hz, to_hz: see `resample`.
        stretch_samples: how many input samples are waited for; few for sound that is heard as it comes.
    """
    ratio = Fraction(to_hz / from_hz).limit_denominator(999)
    up, down = ratio.numerator, ratio.denominator
    if up == down:
        yield from blocks
        return
    # Each stretch is filtered with as much sound on both sides as the filter sees.
    context = (_polyphase_taps(up, down)[0].shape[1] // down + 2) * down
    stretch = max(1, stretch_samples // down) * down
    held, lead = np.empty(0, np.float32), 0
    for block in _gathered(blocks, stretch):
        held = np.concatenate([held, block])
        while len(held) >= lead + stretch + context:
            part = resample(held[: lead + stretch + context], from_hz, to_hz)
            yield part[lead // down * up : (lead + stretch) // down * up]
            held, lead = held[lead + stretch - context :], context
    if len(held):
        yield resample(held, from_hz, to_hz)[lead // down * up :]


def _gathered(blocks: Iterable[Samples], least: int) -> Iterator[Samples]:
    """The same samples in blocks of `least` or more, the last one apart."""
    waiting: list[Samples] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= least:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


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
