"""Finds the word in a take and cuts a clip centred on it.

The level of 10 ms frames is compared with the take's own background (its tenth percentile) and its loudest
part. The word is whatever is well above the background around the loudest frame, with pauses inside
bridged. If the word is longer than the clip, its loudest part is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import levels

_FRAME_MS = 10
_FLOOR_PERCENTILE = 10
# A frame belongs to the word if it is this far above the background and no further below the loudest one:
# the s of "yes" is 25 to 30 dB weaker than its vowel.
_ABOVE_FLOOR_DB, _BELOW_PEAK_DB = 6.0, 32.0
# The stop in the middle of "marvin" or before the t of "right" is silent for at most this long.
_BRIDGED_PAUSE_MS = 180
_STANDS_OUT_DB = 12.0
_TOO_QUIET_DBFS = -50.0
_CLIPPED_SHARE = 0.002
_EDGE_MS = 20
# A click or a door is shorter than any word.
_SHORTEST_MS = 80


@dataclass(frozen=True)
class Cut:
    """A clip cut from a take.

    Attributes:
        audio: int16 [clip samples]; what the take lacks at its ends is zero.
        word_start: first sample of the word in the take.
        word_end: one past its last sample in the take.
        level_dbfs: level of the word's loudest 50 ms.
        floor_dbfs: level of the take's background.
        faults: why the clip should not be kept; empty for a good one.
    """

    audio: NDArray[np.int16]
    word_start: int
    word_end: int
    level_dbfs: float
    floor_dbfs: float
    faults: tuple[str, ...]


def cut_word(take: NDArray[np.int16], sample_rate_hz: int, clip_samples: int) -> Cut:
    """Cuts the loudest word of a take.

    Args:
        take: int16 [samples].
        sample_rate_hz: rate of `take`.
        clip_samples: length of the clip.
    """
    frame = sample_rate_hz * _FRAME_MS // 1000
    level = levels.frame_levels_dbfs(take, frame)
    if len(level) == 0:
        nothing = levels.QUIETEST_DBFS
        return Cut(np.zeros(clip_samples, np.int16), 0, 0, nothing, nothing, ("it is empty",))
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    peak = int(np.argmax(smooth))
    floor = float(np.percentile(level, _FLOOR_PERCENTILE))
    first, last = _extent(level, peak, max(floor + _ABOVE_FLOOR_DB, smooth[peak] - _BELOW_PEAK_DB))
    start, end = first * frame, min((last + 1) * frame, len(take))
    faults = _faults(take, start, end, float(smooth[peak]), floor, sample_rate_hz)
    audio = _centred(take, start, end, clip_samples)
    return Cut(audio, start, end, round(float(smooth[peak]), 1), round(floor, 1), faults)


def cut_words(audio: NDArray[np.int16], sample_rate_hz: int, clip_samples: int) -> list[Cut]:
    """Cuts every word of a long recording in which words stand apart, in their order.

    Positions in the cuts count from the start of the recording.

    Args:
        audio: int16 [samples].
        sample_rate_hz: rate of `audio`.
        clip_samples: length of the clips.
    """
    frame = sample_rate_hz * _FRAME_MS // 1000
    level = levels.frame_levels_dbfs(audio, frame)
    if len(level) == 0:
        return []
    floor = float(np.percentile(level, _FLOOR_PERCENTILE))
    active = np.flatnonzero(level >= max(floor + _STANDS_OUT_DB, level.max() - _BELOW_PEAK_DB))
    parts = np.split(active, np.flatnonzero(np.diff(active) > _BRIDGED_PAUSE_MS // _FRAME_MS) + 1)
    spans = [(int(p[0]) * frame, int(p[-1] + 1) * frame) for p in parts if len(p) * _FRAME_MS >= _SHORTEST_MS]
    cuts = []
    for index, (start, end) in enumerate(spans):
        low = (spans[index - 1][1] + start) // 2 if index else 0
        high = (end + spans[index + 1][0]) // 2 if index + 1 < len(spans) else len(audio)
        low, high = max(low, start - clip_samples), min(high, end + clip_samples)
        cut = cut_word(audio[low:high], sample_rate_hz, clip_samples)
        faults = cut.faults
        if cut.word_end - cut.word_start > clip_samples:
            faults = (*faults, "it is longer than a clip: pause between the words")
        cuts.append(replace(cut, word_start=low + cut.word_start, word_end=low + cut.word_end, faults=faults))
    return cuts


def _extent(level: NDArray[np.float64], peak: int, threshold: float) -> tuple[int, int]:
    """First and last frame of the word around `peak`."""
    active = np.flatnonzero(level >= threshold)
    active = np.union1d(active, [peak])
    pauses = np.diff(active) > _BRIDGED_PAUSE_MS // _FRAME_MS
    part = np.concatenate([[0], np.cumsum(pauses)])
    inside = active[part == part[int(np.searchsorted(active, peak))]]
    return int(inside[0]), int(inside[-1])


def _centred(take: NDArray[np.int16], start: int, end: int, clip_samples: int) -> NDArray[np.int16]:
    if end - start > clip_samples:
        energy = np.concatenate([[0.0], np.cumsum(np.square(take[start:end].astype(np.float64)))])
        begin = start + int(np.argmax(energy[clip_samples:] - energy[:-clip_samples]))
    else:
        begin = (start + end - clip_samples) // 2
        # Real background beside the word is better than zeros, so the clip moves inside the take if it can.
        begin = min(max(begin, 0), max(len(take) - clip_samples, 0)) if len(take) >= clip_samples else begin
    clip = np.zeros(clip_samples, np.int16)
    low, high = max(begin, 0), min(begin + clip_samples, len(take))
    clip[low - begin : high - begin] = take[low:high]
    return clip


def _faults(
    take: NDArray[np.int16], start: int, end: int, level: float, floor: float, sample_rate_hz: int
) -> tuple[str, ...]:
    if level - floor < _STANDS_OUT_DB:
        return ("no word is louder than the background",)
    faults = []
    if level < _TOO_QUIET_DBFS:
        faults.append(f"the word is too quiet ({level:.0f} dBFS)")
    if levels.clipped_share(take[start:end]) > _CLIPPED_SHARE:
        faults.append("the word is clipped: speak further away, or turn the microphone down")
    edge = sample_rate_hz * _EDGE_MS // 1000
    if start < edge:
        faults.append("the word starts before the take")
    if end > len(take) - edge:
        faults.append("the word is cut off at the end")
    return tuple(faults)
