"""Long audio to test a keyword spotter: rooms, noise, other speech, and its words at known times.

A stream consists of scenes of 20 to 60 seconds. Each has a background: a quiet room, noise, or a
crowd of voices; in scenes of talk other words are said one after another. Target words are inserted
at random times and at a random level above the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.data import noise
from tinyml_cli.data.clips import UNKNOWN, ClipSet
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.tasks.kws.detection_errors import Passage, Target
from tinyml_cli.tasks.kws.noise_sweep import speech_rms

Int16Array = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float32]
Scene = Literal["quiet", "noise", "crowd", "talk"]

STREAM_S = 1200  # the length of MLPerf Tiny's streaming test
SECONDS_PER_TARGET = 20
SCENES: tuple[Scene, ...] = ("quiet", "noise", "crowd", "talk")

_SCENE_SHARES = (0.2, 0.3, 0.15, 0.35)
_SCENE_S = (20.0, 60.0)
_BED_DBFS: dict[Scene, tuple[float, float]] = {
    "quiet": (-80.0, -60.0),
    "noise": (-55.0, -35.0),
    "crowd": (-52.0, -38.0),
    "talk": (-75.0, -48.0),
}
_SPEECH_DBFS = (-36.0, -18.0)
_LOWEST_SNR_DB = 5.0
_CROWD_VOICES = 5
_TALK_GAP_S = (0.05, 1.0)
_KEPT_FREE_S = 0.5  # before and after each target word
_FADE_S = 0.02
_FRAME_S = 0.01
_WORD_RANGE_DB = 25.0
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Material:
    """The material of streams, from the speakers of one split only.

    Attributes:
        clips: target words and others (label `unknown`), all of the same length.
        backgrounds: int16 [samples] each.
        sample_rate_hz: of both.
        note: their origin.
    """

    clips: ClipSet
    backgrounds: tuple[Int16Array, ...]
    sample_rate_hz: int
    note: str


@dataclass(frozen=True)
class LabelledStream:
    """One stream: int16 [samples] and the target words in it.

    Attributes:
        audio: int16 [samples].
        targets: what should be reported.
        said: everything that is said, targets included; None where nobody knows.
        scenes: what is around it.
    """

    audio: Int16Array
    targets: list[Target]
    said: list[Passage] | None = None
    scenes: Sequence[Passage] = ()


def plan_targets(
    material: Material, labels: list[str], seconds: int, seed: list[int]
) -> list[npt.NDArray[np.int64]]:
    """Rows of the clips to put into each stream: every word equally often, no clip twice.

    When the clips are used up, streams go without targets: repeating clips would only feign evidence.
    """
    rng = np.random.default_rng(seed)
    queues = [rng.permutation(np.flatnonzero(material.clips.labels == word)) for word in labels[2:]]
    rounds = min(len(queue) for queue in queues)
    # Words in turn, in a random order each time.
    rows = rng.permuted(np.stack([queue[:rounds] for queue in queues], axis=1), axis=1).reshape(-1)
    ends = np.cumsum([length // SECONDS_PER_TARGET for length in stream_lengths(seconds)])
    return np.split(rows, np.minimum(ends, len(rows)))[:-1]


def stream_lengths(seconds: int) -> list[int]:
    """Whole streams of STREAM_S, and the rest."""
    whole, rest = divmod(seconds, STREAM_S)
    return [STREAM_S] * whole + ([rest] if rest else [])


def build_stream(
    material: Material, labels: list[str], rows: npt.NDArray[np.int64], seconds: int, seed: list[int]
) -> LabelledStream:
    """One stream of whole seconds; the same arguments give the same samples.

    Args:
        material: of one split.
        labels: the model's.
        rows: the clips used as targets, each once.
        seconds: its length.
        seed: determines everything.
    """
    rng = np.random.default_rng(seed)
    rate_hz = material.sample_rate_hz
    sound = np.zeros(seconds * rate_hz, np.float32)
    scenes = draw_scenes(seconds, rng)
    levels_db = [float(rng.uniform(*_BED_DBFS[kind])) for _, _, kind in scenes]
    for (start_s, end_s, kind), level_db in zip(scenes, levels_db, strict=True):
        start, end = round(start_s * rate_hz), round(end_s * rate_hz)
        sound[start:end] = draw_bed(kind, end - start, material, rng) * amplitude(level_db)
    others = _Talk(material.clips, rng)
    targets: list[Target] = []
    taken: list[tuple[float, float]] = []
    for row, begin_s in zip(rows.tolist(), _moments(len(rows), seconds, material, rng), strict=True):
        scene = next(index for index, (_, end_s, _) in enumerate(scenes) if begin_s < end_s)
        clip = material.clips.audio[row]
        snr_db = _say(sound, clip, round(begin_s * rate_hz), levels_db[scene], rate_hz, rng)
        first_s, last_s = word_bounds(clip, rate_hz)
        taken.append((begin_s - _KEPT_FREE_S, begin_s + len(clip) / rate_hz + _KEPT_FREE_S))
        targets.append(
            Target(
                round((begin_s + first_s) * 1000),
                round((begin_s + last_s) * 1000),
                labels.index(str(material.clips.labels[row])),
                round(snr_db, 1),
                scenes[scene][2],
            )
        )
    said = [Passage(target.start_ms, target.end_ms, labels[target.label]) for target in targets]
    for (start_s, end_s, kind), level_db in zip(scenes, levels_db, strict=True):
        if kind == "talk":
            said += others.fill(sound, start_s, end_s, taken, level_db, rate_hz)
    around = [Passage(round(start_s * 1000), round(end_s * 1000), kind) for start_s, end_s, kind in scenes]
    return LabelledStream(to_int16(sound), targets, said, around)


def word_bounds(clip: Int16Array, sample_rate_hz: int) -> tuple[float, float]:
    """(start, end) in seconds of the 10 ms frames within 25 dB of the loudest one of int16 [samples]."""
    size = max(1, round(_FRAME_S * sample_rate_hz))
    frames = clip[: len(clip) // size * size].astype(np.float64).reshape(-1, size)
    power = np.square(frames).mean(axis=1)
    loud = np.flatnonzero(power >= power.max(initial=0.0) * 10 ** (-_WORD_RANGE_DB / 10))
    return float(loud[0] * size / sample_rate_hz), float((loud[-1] + 1) * size / sample_rate_hz)


class _Talk:
    """Other words, said one after another; no clip is repeated before all have been used."""

    def __init__(self, clips: ClipSet, rng: np.random.Generator) -> None:
        others = clips.labels == UNKNOWN
        self._audio, self._words = clips.audio[others], clips.words[others]
        self._rng = rng
        self._order: list[int] = []

    def fill(
        self,
        sound: FloatArray,
        start_s: float,
        end_s: float,
        taken: list[tuple[float, float]],
        bed_db: float,
        rate_hz: int,
    ) -> list[Passage]:
        """Adds words from `start_s` to `end_s` wherever there is no target; says which."""
        said: list[Passage] = []
        if not len(self._audio):
            return said
        length_s = self._audio.shape[1] / rate_hz
        at_s = start_s
        while at_s + length_s <= end_s:
            blocked = next((end for begin, end in taken if begin < at_s + length_s and at_s < end), None)
            if blocked is not None:
                at_s = blocked
                continue
            row = self._next()
            _say(sound, self._audio[row], round(at_s * rate_hz), bed_db, rate_hz, self._rng)
            bounds_s = word_bounds(self._audio[row], rate_hz)
            first_ms, last_ms = (round((at_s + bound_s) * 1000) for bound_s in bounds_s)
            said.append(Passage(first_ms, last_ms, str(self._words[row])))
            at_s += length_s + float(self._rng.uniform(*_TALK_GAP_S))
        return said

    def _next(self) -> int:
        if not self._order:
            self._order = self._rng.permutation(len(self._audio)).tolist()
        return self._order.pop()


def draw_scenes(seconds: int, rng: np.random.Generator) -> list[tuple[float, float, Scene]]:
    scenes: list[tuple[float, float, Scene]] = []
    start_s = 0.0
    while start_s < seconds:
        end_s = min(start_s + float(rng.uniform(*_SCENE_S)), float(seconds))
        scenes.append((start_s, end_s, SCENES[int(rng.choice(len(SCENES), p=_SCENE_SHARES))]))
        start_s = end_s
    return scenes


def _moments(count: int, seconds: int, material: Material, rng: np.random.Generator) -> list[float]:
    """Start times of target clips: one at random in each of `count` equal slots, clear of its neighbours."""
    if not count:
        return []
    slot_s = seconds / count
    length_s = material.clips.audio.shape[1] / material.sample_rate_hz
    room_s = max(0.0, slot_s - length_s - 2 * _KEPT_FREE_S)
    return [slot * slot_s + _KEPT_FREE_S + float(rng.uniform(0, room_s)) for slot in range(count)]


def draw_bed(kind: Scene, samples: int, material: Material, rng: np.random.Generator) -> FloatArray:
    """float32 [samples], RMS 1."""
    bed = noise.coloured(1, samples, rng)[0]
    if kind == "noise" and material.backgrounds and rng.random() < 0.7:
        source = material.backgrounds[int(rng.integers(len(material.backgrounds)))]
        start = int(rng.integers(len(source)))
        bed = np.resize(np.roll(source, -start), samples).astype(np.float32)
    others = material.clips.audio[material.clips.labels == UNKNOWN]
    if kind == "crowd" and len(others):
        crowd = np.zeros(samples, np.float32)
        for _ in range(_CROWD_VOICES):
            count = -(-samples // others.shape[1]) + 1
            voice = others[rng.integers(len(others), size=count)].reshape(-1).astype(np.float32)
            start = int(rng.integers(others.shape[1]))
            crowd += voice[start : start + samples]
        bed = 0.3 * bed + noise.unit_rms(crowd[None])[0]
    level: FloatArray = noise.unit_rms(bed[None])[0]
    return level


def _say(
    sound: FloatArray, clip: Int16Array, at: int, bed_db: float, rate_hz: int, rng: np.random.Generator
) -> float:
    """Adds a clip at a random level, at least _LOWEST_SNR_DB above the background; returns the SNR in dB."""
    level_db = max(float(rng.uniform(*_SPEECH_DBFS)), bed_db + _LOWEST_SNR_DB)
    speech = float(speech_rms(clip[None])[0]) / FULL_SCALE
    if speech == 0.0:
        return level_db - bed_db
    shape = np.ones(len(clip), np.float32)
    fade = max(1, round(_FADE_S * rate_hz))
    shape[:fade] = np.linspace(0, 1, fade, dtype=np.float32)
    shape[-fade:] = shape[:fade][::-1]
    piece = clip.astype(np.float32) * shape * np.float32(amplitude(level_db) / speech / FULL_SCALE)
    end = min(at + len(piece), len(sound))
    sound[at:end] += piece[: end - at]
    return level_db - bed_db


def amplitude(level_db: float) -> float:
    """RMS of a sound at a level in dBFS, full scale 1."""
    return float(10 ** (level_db / 20))
