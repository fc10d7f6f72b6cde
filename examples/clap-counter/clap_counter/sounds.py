"""Made-up sound: claps of many hands in many rooms, and what must not be taken for them.

A clap is a burst of noise with a resonance between the cupped hands, which decays within some 10 ms: B. Repp,
"The sound of two hands clapping", Journal of the Acoustical Society of America 81, 1987.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clap_counter.recipe import CLAP, CLIP_MS, LABELS, ClapRecipe
from tinyml_cli.data import noise
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.data.splits import Split
from tinyml_cli.features.audio_frontend import extract_batch

STREAM_MS = 6000
MOST_CLAPS = 6
# What the front end hears before the window that is judged, as on a board.
_SCENE_MS = 600
# Numbers of hands; none claps in two splits.
_HANDS: dict[Split, tuple[int, int]] = {"train": (0, 400), "validation": (400, 500), "test": (500, 600)}

Sound = NDArray[np.floating]


@dataclass(frozen=True)
class Stream:
    """Sound int16 [samples], and when claps begin in it."""

    audio: NDArray[np.int16]
    claps_ms: list[int]


def clips(recipe: ClapRecipe, split: Split) -> EvaluationSet:
    """As many scenes of each label, and the features of their last CLIP_MS; always the same."""
    rng = np.random.default_rng([recipe.seed, 1, *_HANDS[split]])
    per_label, rate_hz = recipe.sound.clips_of(split), recipe.features.sample_rate_hz
    labels = np.repeat(np.arange(len(LABELS)), per_label)
    hands = rng.integers(*_HANDS[split], len(labels))
    audio = []
    for label, pair in zip(labels, hands, strict=True):
        at_ms = [int(_SCENE_MS - rng.integers(60, CLIP_MS - 40))]
        earlier = [int(rng.integers(_SCENE_MS - 2 * CLIP_MS))] if rng.random() < 0.3 else []
        claps = earlier + (at_ms if LABELS[label] == CLAP else [])
        others = at_ms if LABELS[label] == UNKNOWN else []
        audio.append(_scene(_SCENE_MS, claps, others, int(pair), rate_hz, rng))
    features = extract_batch(np.stack(audio), recipe.features)[:, -recipe.frames :]
    note = f"{per_label} clips of each label; their hands are in no other split"
    groups = np.array([f"hands {pair}" for pair in hands])
    return EvaluationSet(np.stack(audio), np.ascontiguousarray(features), labels, groups, note)


def streams(recipe: ClapRecipe, count: int) -> list[Stream]:
    """Test sound with 0 to MOST_CLAPS claps, and other sounds between them; always the same."""
    rng = np.random.default_rng([recipe.seed, 2])
    made = []
    for number in range(count):
        claps_ms = (300 + np.cumsum(rng.integers(350, 900, number % (MOST_CLAPS + 1)))).tolist()
        free = [at for at in range(400, STREAM_MS, 400) if all(abs(at - clap) > 300 for clap in claps_ms)]
        others_ms = rng.permutation(free)[: rng.integers(4)].tolist()
        hands, rate_hz = int(rng.integers(*_HANDS["test"])), recipe.features.sample_rate_hz
        made.append(Stream(_scene(STREAM_MS, claps_ms, others_ms, hands, rate_hz, rng), claps_ms))
    return made


def _scene(
    length_ms: int,
    claps_ms: Sequence[int],
    others_ms: Sequence[int],
    hands: int,
    rate_hz: int,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    """A room with background, claps of one pair of hands, and other sounds; int16 [samples]."""
    sound = noise.coloured(1, length_ms * rate_hz // 1000, rng)[0] * _gain(rng.uniform(-75, -50))
    room = _room(rate_hz, rng)
    pieces = [(at_ms, _clap(hands, rate_hz, rng)) for at_ms in claps_ms]
    pieces += [(at_ms, _OTHERS[rng.integers(len(_OTHERS))](rate_hz, rng)) for at_ms in others_ms]
    for at_ms, piece in pieces:
        heard = np.fft.irfft(np.fft.rfft(piece, rate_hz) * room, rate_hz)
        rest = sound[at_ms * rate_hz // 1000 :][:rate_hz]
        rest += heard[: len(rest)] * _gain(rng.uniform(-24, -4)) / np.abs(heard).max()
    made: NDArray[np.int16] = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
    return made


def _room(rate_hz: int, rng: np.random.Generator) -> NDArray[np.complexfloating]:
    """The spectrum, over a second, of the direct path and an echo that decays by 60 dB in 0.1 to 0.4 s."""
    time_s = np.arange(2 * rate_hz // 5) / rate_hz
    echo = rng.standard_normal(len(time_s)) * np.exp(-6.9 * time_s / rng.uniform(0.1, 0.4))
    echo *= rng.uniform(0.0, 0.5) / np.sqrt(np.square(echo).sum())
    echo[0] = 1
    return np.fft.rfft(echo, rate_hz)


def _clap(hands: int, rate_hz: int, rng: np.random.Generator) -> Sound:
    own = np.random.default_rng(hands)
    resonance_hz = own.uniform(700, 2500) * rng.uniform(0.9, 1.1)
    burst = _burst(own.uniform(0.004, 0.012), rate_hz, rng)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(burst), 1 / rate_hz), 50) / resonance_hz)
    shape = 0.15 + np.exp(-np.square(octaves / own.uniform(0.4, 1.0)))
    return np.fft.irfft(np.fft.rfft(burst) * shape, len(burst))


def _click(rate_hz: int, rng: np.random.Generator) -> Sound:
    """A key or a switch: far shorter than a clap."""
    return _burst(rng.uniform(0.0003, 0.001), rate_hz, rng)


def _burst(decay_s: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    time_s = np.arange(rate_hz // 10) / rate_hz
    return rng.standard_normal(len(time_s)) * np.exp(-time_s / decay_s)


def _tone(rate_hz: int, rng: np.random.Generator) -> Sound:
    time_s = np.arange(round(rng.uniform(0.1, 0.4) * rate_hz)) / rate_hz
    base_hz, overtones = np.exp(rng.uniform(np.log(100), np.log(3000))), int(rng.integers(1, 4))
    return _swell(
        np.sum([np.sin(2 * np.pi * base_hz * n * time_s) / n for n in range(1, overtones + 1)], axis=0)
    )


def _syllable(rate_hz: int, rng: np.random.Generator) -> Sound:
    """Breath and the pulses of a voice."""
    samples = round(rng.uniform(0.15, 0.4) * rate_hz)
    phase = np.cumsum(rng.uniform(90, 250) * np.linspace(1, rng.uniform(0.8, 1.2), samples) / rate_hz)
    return _swell(np.exp(-20 * (phase % 1)) + 0.2 * noise.coloured(1, samples, rng)[0])


def _swell(sound: Sound) -> Sound:
    """With the slow rise and fall that a clap does not have."""
    return sound * np.sin(np.pi * np.arange(len(sound)) / len(sound))


_OTHERS = (_click, _tone, _syllable)


def _gain(decibel: float) -> float:
    return float(10 ** (decibel / 20))
