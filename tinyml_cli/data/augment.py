"""Variations of clips: shift, speed, gain, equaliser, room, noise, low-pass; and masks on features.

Every function takes a batch and a generator, so that a seed fixes the result.
SpecAugment: D. Park et al., arXiv:1904.08779 (time and frequency masks, no warping).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import noise
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.recipes.kws import AugmentationRecipe

Floats = NDArray[np.float32]

# Speech slides at most this far over the ends of the clip, as it does in a moving window.
_OVERHANG_MS = 60
_EQUALISER_KNOTS_HZ = (60.0, 180.0, 500.0, 1200.0, 2800.0, 5500.0, 8000.0)
_SPEED_OF_DECAY = 6.908  # natural logarithm of 1000: amplitude falls by 60 dB over RT60


@dataclass(frozen=True)
class NoiseBed:
    """What can lie under a clip.

    Attributes:
        recordings: int16 [samples] each, longer than a clip.
        babble: int16 [clips, samples], speech to be heard far away.
    """

    recordings: Sequence[NDArray[np.int16]]
    babble: NDArray[np.int16]

    def draw(self, count: int, samples: int, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        """Backgrounds float32 [count, samples], RMS 1: recordings, coloured noise, hum and babble in turn."""
        beds = noise.coloured(count, samples, rng)
        kinds = rng.random(count)
        recorded = np.flatnonzero(kinds < 0.5) if self.recordings else np.empty(0, int)
        for row in recorded:
            source = self.recordings[int(rng.integers(len(self.recordings)))]
            start = int(rng.integers(max(len(source) - samples, 0) + 1))
            beds[row] = source[start : start + samples]
        hummed = np.flatnonzero((kinds >= 0.5) & (kinds < 0.6))
        beds[hummed] += noise.hum(len(hummed), samples, sample_rate_hz, rng)
        if len(self.babble):
            self._add_babble(beds, np.flatnonzero(kinds >= 0.85), rng)
        return noise.unit_rms(beds)

    def _add_babble(self, beds: Floats, rows: NDArray[np.integer], rng: np.random.Generator) -> None:
        samples = beds.shape[1]
        clips = -(-samples // self.babble.shape[1])
        for row in rows:
            chosen = self.babble[rng.integers(len(self.babble), size=(5, clips))].astype(np.float32)
            voices = chosen.reshape(5, -1)
            shifts = rng.integers(voices.shape[1], size=len(voices))
            crowd = sum(np.roll(voice, shift) for voice, shift in zip(voices, shifts, strict=True))
            beds[row] = 0.3 * beds[row] + noise.unit_rms(np.asarray(crowd)[None, :samples])[0]


def augment(
    audio: NDArray[np.int16],
    recipe: AugmentationRecipe,
    bed: NoiseBed,
    sample_rate_hz: int,
    rng: np.random.Generator,
    overhang_ms: float = _OVERHANG_MS,
    lead_in_samples: int = 0,
) -> NDArray[np.int16]:
    """One random variation of each clip, at the end of what a microphone hears before it.

    Args:
        audio: int16 [clips, samples].
        recipe: ranges and shares.
        bed: sounds to put under the clips.
        sample_rate_hz: rate of `audio`.
        rng: random generator.
        overhang_ms: how much of a word may slide out of the clip where its ends are known.
        lead_in_samples: how much is heard before each clip: its own background, and in some other words.

    Returns:
        int16 [clips, lead_in_samples + samples].
    """
    sound = _move(audio, recipe, sample_rate_hz, overhang_ms, rng)
    if lead_in_samples:
        before = noise.like_background(audio, lead_in_samples, rng)
        _add_speech(before, sound, bed, recipe.lead_in.speech_share, rng)
        sound = np.concatenate([before, sound], axis=1)
    sound = colour(sound, recipe, sample_rate_hz, rng)
    sound = _put_on_bed(sound, recipe, bed, sample_rate_hz, lead_in_samples, rng)
    gain_db = rng.uniform(*recipe.gain_db, (len(audio), 1))
    return np.clip(np.rint(sound * np.power(10.0, gain_db / 20.0)), -32768, 32767).astype(np.int16)


def _add_speech(before: Floats, clips: Floats, bed: NoiseBed, share: float, rng: np.random.Generator) -> None:
    """Puts another word before a share of the clips, about as loud and up to its end."""
    spoken = np.flatnonzero(rng.random(len(clips)) < share) if len(bed.babble) else np.empty(0, int)
    for row in spoken:
        word = bed.babble[int(rng.integers(len(bed.babble)))].astype(np.float32)
        room = min(len(word), before.shape[1])
        end = before.shape[1] - int(rng.integers(0, before.shape[1] - room + 1))
        ratio = np.sqrt(np.mean(np.square(clips[row])) / max(float(np.mean(np.square(word))), 1.0))
        gain = ratio * 10.0 ** (rng.uniform(-6, 6) / 20.0)
        before[row, end - room : end] += word[-room:] * np.float32(gain)


def _move(
    audio: NDArray[np.int16],
    recipe: AugmentationRecipe,
    sample_rate_hz: int,
    overhang_ms: float,
    rng: np.random.Generator,
) -> Floats:
    """Changes speed (and with it pitch and formants) and place, in one interpolation.

    A clip that stands between exact zeros may move anywhere in the window; any other clip moves by
    `time_shift_ms` and its own ends, mirrored, fill the gap so that no artificial silence is learned.
    """
    clips, samples = audio.shape
    speed = rng.uniform(*recipe.speed, size=clips)
    first = np.argmax(audio != 0, axis=1)
    last = samples - 1 - np.argmax(audio[:, ::-1] != 0, axis=1)
    half = samples / 2
    start, end = (first - half) / speed + half, (last - half) / speed + half
    overhang = overhang_ms * sample_rate_hz / 1000
    lowest, highest = -start - overhang, samples - end + overhang
    isolated = (first > samples // 50) & (last < samples - samples // 50)
    reach = recipe.time_shift_ms * sample_rate_hz / 1000
    narrow = ~isolated | (lowest >= highest)
    shift = np.zeros(clips)
    if recipe.time_shift_ms:
        shift[:] = rng.uniform(np.where(narrow, -reach, lowest), np.where(narrow, reach, highest))
    rows = np.asarray(shift)[:, None]
    position = (np.arange(samples)[None, :] - half - rows) * np.asarray(speed)[:, None] + half
    return _interpolate(audio, position.astype(np.float32))


def _interpolate(audio: NDArray[np.int16], position: Floats) -> Floats:
    """Linear interpolation of each row at `position` (in samples); beyond the ends the row is mirrored."""
    last = audio.shape[1] - 1
    folded = np.abs(position)
    folded = np.where(folded > last, 2 * last - folded, folded).clip(0, last - 1e-3)
    left = folded.astype(np.int32)
    share = folded - left
    low = np.take_along_axis(audio, left, axis=1).astype(np.float32)
    high = np.take_along_axis(audio, np.minimum(left + 1, last), axis=1).astype(np.float32)
    return low + (high - low) * share


def colour(
    sound: Floats, recipe: AugmentationRecipe, sample_rate_hz: int, rng: np.random.Generator
) -> Floats:
    """Equaliser, low-pass and room as one product of spectra; the level is kept."""
    clips, samples = sound.shape
    length = 1 << int(np.ceil(np.log2(samples * 1.5)))
    frequency_hz = np.fft.rfftfreq(length, 1 / sample_rate_hz).astype(np.float32)
    response = _equaliser(clips, frequency_hz, recipe.equaliser_db, rng)
    muffled = np.flatnonzero(rng.random(clips) < recipe.low_pass_share)
    corner_hz = rng.uniform(2500, 6500, (len(muffled), 1)).astype(np.float32)
    response[muffled] /= np.sqrt(1 + np.power(frequency_hz / corner_hz, 8))
    spectrum = np.fft.rfft(sound, n=length, axis=1) * response
    echoing = np.flatnonzero(rng.random(clips) < recipe.reverberation_share)
    spectrum[echoing] *= np.fft.rfft(_rooms(len(echoing), length // 4, sample_rate_hz, rng), n=length, axis=1)
    filtered = np.fft.irfft(spectrum, n=length, axis=1)[:, :samples].astype(np.float32)
    before, after = (np.sqrt(np.mean(np.square(x), axis=1, keepdims=True)) for x in (sound, filtered))
    level: Floats = before / np.maximum(after, 1e-6)
    return filtered * level


def _equaliser(clips: int, frequency_hz: Floats, depth_db: float, rng: np.random.Generator) -> Floats:
    """Smooth random gain curves, float32 [clips, bins]: decibels at knots, linear between them in octaves."""
    knots = np.log2(np.array(_EQUALISER_KNOTS_HZ))
    octave = np.log2(np.clip(frequency_hz, _EQUALISER_KNOTS_HZ[0], _EQUALISER_KNOTS_HZ[-1]))
    gains_db = rng.uniform(-depth_db, depth_db, (clips, len(knots)))
    left = np.clip(np.searchsorted(knots, octave, side="right") - 1, 0, len(knots) - 2)
    share = (octave - knots[left]) / (knots[left + 1] - knots[left])
    decibel = gains_db[:, left] * (1 - share) + gains_db[:, left + 1] * share
    gains: Floats = np.power(10.0, decibel / 20.0).astype(np.float32)
    return gains


def _rooms(count: int, samples: int, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
    """Impulse responses: a direct path, then noise that decays by 60 dB in 0.1 to 0.6 s.

    The statistical room model of J. Polack (1988).
    """
    time_s = np.arange(samples, dtype=np.float32) / sample_rate_hz
    reverberation_s = rng.uniform(0.1, 0.6, (count, 1)).astype(np.float32)
    tail = rng.standard_normal((count, samples), np.float32) * np.exp(
        -_SPEED_OF_DECAY * time_s / reverberation_s
    )
    tail[:, : int(0.002 * sample_rate_hz)] = 0
    tail = noise.unit_rms(tail) * np.sqrt(samples)
    direct_to_tail_db = rng.uniform(-3, 12, (count, 1)).astype(np.float32)
    rooms = tail * np.power(10.0, -direct_to_tail_db / 20.0)
    rooms[:, 0] = 1.0
    response: Floats = rooms.astype(np.float32)
    return response


def _put_on_bed(
    sound: Floats,
    recipe: AugmentationRecipe,
    bed: NoiseBed,
    sample_rate_hz: int,
    lead_in_samples: int,
    rng: np.random.Generator,
) -> Floats:
    """Adds background at a random distance below the level of the clip, which follows the lead-in.

    Clips that get no audible background get one 45 to 60 dB below: no microphone gives exact zeros.
    """
    clips, samples = sound.shape
    snr_db = rng.uniform(*recipe.snr_db, (clips, 1))
    quiet = rng.random((clips, 1)) >= recipe.noise_share
    snr_db = np.where(quiet, rng.uniform(45, 60, (clips, 1)), snr_db)
    clip = sound[:, lead_in_samples:]
    level = np.sqrt(np.mean(np.square(clip), axis=1, keepdims=True)) * np.power(10.0, -snr_db / 20.0)
    audible: Floats = np.maximum(level, 0.5).astype(np.float32)
    return sound + bed.draw(clips, samples, sample_rate_hz, rng) * audible


def quiet_rooms(
    count: int, samples: int, bed: NoiseBed, sample_rate_hz: int, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Silence as microphones hear it: backgrounds from near nothing to loud, int16 [count, samples]."""
    level_db = rng.uniform(-90, -15, (count, 1))
    beds = NoiseBed(bed.recordings, bed.babble[:0]).draw(count, samples, sample_rate_hz, rng)
    return to_int16(beds * np.power(10.0, level_db / 20.0))


def neighbours(audio: NDArray[np.int16], count: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """The end of one clip followed by the start of another, as a window between two words holds them.

    Returns:
        int16 [count, samples].
    """
    samples = audio.shape[1]
    ending, starting = audio[rng.integers(len(audio), size=(2, count))]
    cut = rng.integers(samples // 4, 3 * samples // 4, (count, 1))
    at = np.arange(samples)[None, :]
    end_part = np.take_along_axis(ending, np.minimum(at + samples // 2 - cut // 4, samples - 1), axis=1)
    start_part = np.take_along_axis(starting, np.maximum(at - cut + samples // 8, 0), axis=1)
    return np.where(at < cut, end_part, start_part)


def mask_features(
    features: Floats, rng: np.random.Generator, time_masks: int = 2, channel_masks: int = 2
) -> Floats:
    """SpecAugment: random stretches of time and of channels set to zero.

    Args:
        features: float32 [clips, frames, channels, 1]; changed in place.
        rng: random generator.
        time_masks: masks of up to a seventh of the frames.
        channel_masks: masks of up to a sixth of the channels.

    Returns:
        `features`.
    """
    clips, frames, channels, _ = features.shape
    for _ in range(time_masks):
        features[_stretch(clips, frames, frames // 7, rng)] = 0
    for _ in range(channel_masks):
        mask = _stretch(clips, channels, channels // 6, rng)
        features[np.broadcast_to(mask[:, None, :], (clips, frames, channels))] = 0
    return features


def _stretch(clips: int, size: int, longest: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random stretch of up to `longest` per row, bool [clips, size]."""
    length = rng.integers(0, longest + 1, (clips, 1))
    start = (rng.random((clips, 1)) * (size - length + 1)).astype(int)
    at = np.arange(size)[None, :]
    return (at >= start) & (at < start + length)
