"""Long audio to train a keyword spotter by: rooms, noise, crowds, and people who talk nearly all the time.

Words follow one another with short pauses or on top of each other, whole or cut off; targets are among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.data import augment, noise
from tinyml_cli.data.clips import UNKNOWN, ClipSet
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.recipes.kws import AugmentationRecipe
from tinyml_cli.tasks.kws.noise_sweep import speech_rms
from tinyml_cli.tasks.kws.stream_audio import FULL_SCALE, Material, Scene, amplitude, draw_bed, draw_scenes

Int16Array = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float32]

_TARGET = 0.14  # share of what is said
_KEPT = (0.2, 0.4)  # share of a word that is cut off
_EVERYDAY = 0.4  # share of the noise that is a sound of a home or a street
_PAUSE_S = (-0.15, 0.7)  # below 0: at once
_TARGET_PAUSE_S = (0.03, 0.7)
_ROOM = 1.3  # length of the row that holds a word, slowed down, and the tail of a room, in clips
_VOICE_DBFS = (-42.0, -14.0)
_VOICE_SPREAD_DB = 5.0
_BED_BELOW_DB: dict[Scene, tuple[float, float]] = {
    "quiet": (35.0, 60.0),
    "noise": (2.0, 25.0),
    "crowd": (4.0, 22.0),
    "talk": (20.0, 45.0),
}
_SILENCE_DBFS = (-80.0, -20.0)
_FADE_S = 0.005


@dataclass(frozen=True)
class Mix:
    """Who talks how much, and what is said beside the targets.

    Attributes:
        name: for the manifest.
        untalked: share of the scenes in which nobody talks.
        cut_target: share of parts of a target in what is said.
        cut_other: the same of another word.
        near: share of the other words that are taken from those that sound like a target.
        has_clips: whether clips of `unknown`, many of them chosen for their sound, are among the other words.
        has_invented: whether words that nobody says are.
    """

    name: Literal["everyday", "hard"]
    untalked: float
    cut_target: float
    cut_other: float
    near: float
    has_clips: bool
    has_invented: bool


HARD = Mix("hard", 0.15, cut_target=0.03, cut_other=0.1, near=0.4, has_clips=True, has_invented=True)
"""What a network learns most from."""
EVERYDAY = Mix("everyday", 0.5, cut_target=0.0, cut_other=0.1, near=0.0, has_clips=False, has_invented=False)
"""A household in which somebody talks half of the time: no word comes more often for its sound, and nobody
breaks off in a target."""


@dataclass(frozen=True)
class Span:
    """What is heard from sample `start` to `end`: a label of the model, and how far above its background."""

    start: int
    end: int
    label: int
    snr_db: float | None = None


@dataclass(frozen=True)
class BusyStream:
    """int16 [samples] and all speech in it."""

    audio: Int16Array
    spans: list[Span]


@dataclass(frozen=True)
class _Said:
    """A word, float32 [samples] to be heard at another speed; `label` is the model's."""

    audio: FloatArray
    label: int
    speed: float

    @property
    def samples(self) -> int:
        """What it takes at its speed."""
        return int(len(self.audio) / self.speed)


class BusyStreams:
    """Makes streams of one split's speakers; a stream depends on its number and the seed alone."""

    def __init__(
        self,
        material: Material,
        others: Sequence[Int16Array],
        near: Sequence[Int16Array],
        labels: Sequence[str],
        recipe: AugmentationRecipe,
        seed: Sequence[int],
        mix: Mix = HARD,
    ) -> None:
        """Keeps what streams are made of.

        Args:
            material: clips of targets and others (label `unknown`), and background.
            others: more speech that is no target, int16 [samples] each.
            near: those of them that sound like targets, to be heard more often.
            labels: the model's.
            recipe: speed, equaliser, room and low-pass of each word.
            seed: fixes everything.
            mix: what is said, and how much.
        """
        self._material = material
        self._labels = list(labels)
        self._recipe = recipe
        self._seed = list(seed)
        self.mix = mix
        self.words = [_spoken(material.clips, label) for label in self._labels[2:]]
        self.others = list(others)
        if mix.has_clips or not others:
            self.others = [*_spoken(material.clips, UNKNOWN), *others]
        self._near = list(near) or self.others
        self._clip_samples = material.clips.audio.shape[1]

    def make(self, number: int, seconds: int) -> BusyStream:
        """Stream `number`, of whole seconds."""
        rng = np.random.default_rng([*self._seed, number])
        rate_hz = self._material.sample_rate_hz
        sound = np.zeros(seconds * rate_hz, np.float32)
        spans: list[Span] = []
        for start_s, end_s, kind in draw_scenes(seconds, rng):
            start, end = round(start_s * rate_hz), round(end_s * rate_hz)
            bed = self._bed(kind, end - start, rng)
            if rng.random() < self.mix.untalked:
                sound[start:end] = bed * amplitude(rng.uniform(*_SILENCE_DBFS))
            else:
                voice_db = float(rng.uniform(*_VOICE_DBFS))
                bed_db = voice_db - float(rng.uniform(*_BED_BELOW_DB[kind]))
                sound[start:end] = bed * amplitude(bed_db)
                spans += self._talk(sound, start, end, voice_db, bed_db, rng)
            if kind == "crowd":
                spans.append(Span(start, end, self._labels.index(UNKNOWN)))
        audio = to_int16(sound)
        return BusyStream(audio, spans)

    def _bed(self, kind: Scene, samples: int, rng: np.random.Generator) -> FloatArray:
        if kind == "noise" and rng.random() < _EVERYDAY:
            return noise.everyday(samples, self._material.sample_rate_hz, rng)
        return draw_bed(kind, samples, self._material, rng)

    def _talk(
        self,
        sound: FloatArray,
        start: int,
        end: int,
        voice_db: float,
        bed_db: float,
        rng: np.random.Generator,
    ) -> list[Span]:
        """Fills a scene with words; what was said when."""
        rate_hz = self._material.sample_rate_hz
        said: list[tuple[int, _Said]] = []
        at = start + int(rng.uniform(0, 1.5) * rate_hz)
        before = False
        while True:
            word, is_target = self._next(rng)
            pause_s = rng.uniform(*(_TARGET_PAUSE_S if is_target or before else _PAUSE_S))
            at = max(start, at + int(pause_s * rate_hz))
            if at + word.samples > end:
                break
            said.append((at, word))
            at, before = at + word.samples, is_target
        return self._put(sound, said, end, voice_db, bed_db, rng) if said else []

    def _put(
        self,
        sound: FloatArray,
        said: Sequence[tuple[int, _Said]],
        end: int,
        voice_db: float,
        bed_db: float,
        rng: np.random.Generator,
    ) -> list[Span]:
        """Adds words at their places, each through a microphone and a room of its own."""
        rate_hz = self._material.sample_rate_hz
        rows = np.zeros((len(said), round(_ROOM * self._clip_samples)), np.float32)
        at = np.arange(rows.shape[1])
        for row, (_, word) in zip(rows, said, strict=True):
            row[:] = np.interp(at * word.speed, np.arange(len(word.audio)), word.audio, right=0.0)
        heard = augment.colour(rows, self._recipe, rate_hz, rng)
        level = speech_rms(np.clip(heard, -32768, 32767).astype(np.int16)) / FULL_SCALE
        gains_db = voice_db + rng.uniform(-_VOICE_SPREAD_DB, _VOICE_SPREAD_DB, len(said))
        spans = []
        for (begin, word), row, rms, gain_db in zip(said, heard, level, gains_db, strict=True):
            piece = row * np.float32(np.float32(amplitude(gain_db)) / max(float(rms), 1e-6) / FULL_SCALE)
            stop = min(begin + len(piece), end)
            sound[begin:stop] += piece[: stop - begin]
            spans.append(Span(begin, begin + word.samples, word.label, round(float(gain_db) - bed_db, 1)))
        return spans

    def _next(self, rng: np.random.Generator) -> tuple[_Said, bool]:
        """A word, and whether it is a whole target."""
        kind, speed = rng.random(), float(rng.uniform(*self._recipe.speed))
        unknown, mix = self._labels.index(UNKNOWN), self.mix
        if kind < _TARGET + mix.cut_target:
            word = int(rng.integers(len(self.words)))
            audio = _draw(self.words[word], rng)
            if kind < _TARGET:
                return _Said(self._whole(audio), word + 2, speed), True
            return _Said(_cut(audio, rng), unknown, speed), False
        audio = _draw(self._near if rng.random() < mix.near else self.others, rng)
        if kind < _TARGET + mix.cut_target + mix.cut_other:
            return _Said(_cut(audio, rng), unknown, speed), False
        return _Said(self._whole(audio), unknown, speed), False

    def _whole(self, audio: Int16Array) -> FloatArray:
        """At most a clip of it."""
        return _faded(audio[: self._clip_samples].astype(np.float32), self._material.sample_rate_hz)


def _spoken(clips: ClipSet, label: str) -> list[Int16Array]:
    """The clips of a label, without the zeros around them."""
    return [_trimmed(audio) for audio in clips.audio[clips.labels == label] if audio.any()]


def _trimmed(audio: Int16Array) -> Int16Array:
    heard = np.flatnonzero(audio)
    return audio[heard[0] : heard[-1] + 1]


def _draw(words: Sequence[Int16Array], rng: np.random.Generator) -> Int16Array:
    return words[int(rng.integers(len(words)))]


def _cut(audio: Int16Array, rng: np.random.Generator) -> FloatArray:
    """The beginning or the end of a word."""
    kept = max(1, round(len(audio) * rng.uniform(*_KEPT)))
    part = audio[:kept] if rng.random() < 0.5 else audio[-kept:]
    fade = np.minimum(1.0, np.minimum(np.arange(kept) + 1, np.arange(kept)[::-1] + 1) / 160)
    faded: FloatArray = (part * fade).astype(np.float32)
    return faded


def _faded(audio: FloatArray, rate_hz: int) -> FloatArray:
    fade = min(len(audio), max(1, round(_FADE_S * rate_hz)))
    audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return audio
