"""Motions that are not gestures, for a network to reject: generated from unintended movements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.tasks.wand import hand, kinematics
from tinyml_cli.tasks.wand.motion_augment import random_rotations, to_int16

Samples = NDArray[np.int16]
Floats = NDArray[np.float64]

_Maker = Callable[[Samples, int, np.random.Generator], Samples]


def make(gestures: Samples, count: int, rng: np.random.Generator, kinds: tuple[str, ...] = ()) -> Samples:
    """Windows int16 [count, samples, 6] of other motions, the kinds in turn.

    Args:
        gestures: takes of the training, int16 [n, samples, 6]: their length, amplitudes and pieces are used.
        count: how many.
        rng: what is made.
        kinds: keys of KINDS; all by default.
    """
    makers = [KINDS[kind] for kind in kinds or KINDS]
    shares = [count // len(makers) + (index < count % len(makers)) for index in range(len(makers))]
    made = [maker(gestures, share, rng) for maker, share in zip(makers, shares, strict=True) if share]
    return np.concatenate(made) if made else gestures[:0]


def _tumbling(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """A board that is carried, shaken, turned over."""
    seconds = gestures.shape[1] / kinematics.SAMPLE_RATE_HZ
    return np.stack([kinematics.tumble(seconds, kinematics.random_sensor(rng), rng) for _ in range(count)])


def _scribbling(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Strokes that mean nothing, from some moment on."""
    length = gestures.shape[1]
    windows = []
    for _ in range(count):
        path = hand.scribble(hand.random_writer(rng), rng) * rng.uniform(0.5, 2.0)
        path = path[
            np.linspace(0, len(path) - 1, max(8, round(len(path) * rng.uniform(0.5, 1.5)))).astype(int)
        ]
        grip = kinematics.random_grip(rng, roll_rad=2.0)
        moved = kinematics.wave(path, grip, kinematics.random_sensor(rng), rng, (0.5, length / 60)).samples
        start = int(rng.integers(20, max(len(moved) - length, 21)))
        windows.append(moved[start : start + length])
    return np.stack(windows)


def _surrogates(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """The frequencies of a gesture with phases at random (J. Theiler et al., Physica D 58, 1992)."""
    chosen = gestures[rng.integers(0, len(gestures), count)].astype(np.float64)
    spectrum = np.fft.rfft(chosen - chosen.mean(axis=1, keepdims=True), axis=1)
    turned = spectrum * np.exp(2j * np.pi * rng.random(spectrum.shape))
    return to_int16(np.fft.irfft(turned, chosen.shape[1], axis=1) + _gravity(count, rng))


def _noises(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Smooth noise of any quickness on every axis, as strong as gestures are."""
    length = gestures.shape[1]
    strength = gestures.std(axis=(0, 1)) * np.exp(rng.normal(-0.2, 0.7, (count, 1, 1)))
    frequencies = np.fft.rfftfreq(length)[None, :, None] * length
    cut = np.exp(rng.uniform(np.log(1), np.log(length / 4), (count, 1, 6)))
    spectrum = np.fft.rfft(rng.normal(0, 1, (count, length, 6)), axis=1) * np.exp(-((frequencies / cut) ** 2))
    noise = np.fft.irfft(spectrum, length, axis=1)
    noise /= np.maximum(noise.std(axis=1, keepdims=True), 1e-6)
    return to_int16(noise * strength + _gravity(count, rng))


def _backwards(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Gestures run backwards: rates change their sign, accelerations do not."""
    chosen = gestures[rng.integers(0, len(gestures), count)][:, ::-1].astype(np.float64)
    return to_int16(chosen * np.array([1, 1, 1, -1, -1, -1]))


def _elsewhere(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Gestures with the board turned far from how it is held."""
    chosen = gestures[rng.integers(0, len(gestures), count)].astype(np.float64)
    rotations = random_rotations(rng.uniform(1.4, np.pi, count), rng.normal(0, 1, (count, 3)))
    force, rate = (
        np.einsum("nij,ntj->nti", rotations, chosen[:, :, part]) for part in (slice(3), slice(3, 6))
    )
    return to_int16(np.concatenate([force, rate], axis=2))


def _shuffled(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Pieces of gestures in another order."""
    length = gestures.shape[1]
    windows = []
    for _ in range(count):
        pieces = int(rng.integers(3, 6))
        edges = np.linspace(0, length, pieces + 1).astype(int)
        order = rng.permutation(pieces)
        while (order == np.arange(pieces)).all():
            order = rng.permutation(pieces)
        takes = gestures[rng.integers(0, len(gestures), pieces)]
        joined = np.concatenate([take[edges[i] : edges[i + 1]] for take, i in zip(takes, order, strict=True)])
        windows.append(joined)
    return np.stack(windows)


def _resting(gestures: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Next to no movement."""
    noise = rng.normal(0, 1, (count, gestures.shape[1], 6)) * rng.uniform(2, 40, (count, 1, 1))
    return to_int16(noise + _gravity(count, rng))


def _gravity(count: int, rng: np.random.Generator) -> Floats:
    """1 g from any side, [count, 1, 6]."""
    up = rng.normal(0, 1, (count, 3))
    up *= 1000 / np.linalg.norm(up, axis=1, keepdims=True)
    return np.concatenate([up, np.zeros((count, 3))], axis=1)[:, None, :]


KINDS: dict[str, _Maker] = {
    "tumbling": _tumbling,
    "scribbling": _scribbling,
    "surrogates": _surrogates,
    "noises": _noises,
    "backwards": _backwards,
    "elsewhere": _elsewhere,
    "shuffled": _shuffled,
    "resting": _resting,
}
