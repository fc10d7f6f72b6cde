"""A model of a drawing hand: overlapping minimum-jerk movements, and differences between writers.

T. Flash and N. Hogan, "The coordination of arm movements", J. Neuroscience 5, 1985: a movement from rest to
rest follows 10 t^3 - 15 t^4 + 6 t^5. A path through several points is a sum of such movements that overlap
in time (T. Flash and E. Henis, "Arm trajectory modifications during reaching", J. Cognitive Neuroscience 3,
1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.tasks.wand.shapes import SHAPES

Path = NDArray[np.float64]

SAMPLE_RATE_HZ = 119  # of the board's inertial sensor
# Seconds for a movement of length 1 and for one of length 0; people are quicker per length on long ones.
_SECONDS_PER_LENGTH, _LEAST_SECONDS = 0.25, 0.12
_TREMOR_HZ = (4.0, 10.0)


@dataclass(frozen=True)
class Writer:
    """How somebody writes.

    Attributes:
        variant: a number that picks the way of drawing each shape.
        slant: how far y shifts x.
        aspect: width over height.
        tilt_rad: the line of writing, turned.
        size: half of the larger side of what is drawn, 0.5 filling the file format's range.
        overlap: share of a movement that has passed when the next begins; less is rounder.
        tempo: above 1 is quicker.
        carelessness: standard deviation of the points that the hand aims at.
        tremor: amplitude of the hand's shaking.
        hesitation: the longest rest before and after the stroke, as a share of its time.
    """

    variant: int
    slant: float
    aspect: float
    tilt_rad: float
    size: float
    overlap: float
    tempo: float
    carelessness: float
    tremor: float
    hesitation: float


def random_writer(rng: np.random.Generator) -> Writer:
    """Somebody."""
    return Writer(
        variant=int(rng.integers(1 << 30)),
        slant=float(rng.normal(0.08, 0.22)),
        aspect=float(np.exp(rng.normal(0, 0.2))),
        tilt_rad=float(rng.normal(0, 0.1)),
        size=float(rng.uniform(0.18, 0.42)),
        overlap=float(rng.uniform(0.3, 1.0)),
        tempo=float(np.exp(rng.normal(0, 0.25))),
        carelessness=float(rng.uniform(0.015, 0.08)),
        tremor=float(rng.uniform(0.0, 0.012)),
        hesitation=float(rng.uniform(0.0, 0.5)),
    )


def draw(shape: str, writer: Writer, rng: np.random.Generator) -> Path:
    """One stroke of a shape, float64 [n, 2] around 0, at SAMPLE_RATE_HZ.

    Args:
        shape: a key of SHAPES.
        writer: who draws.
        rng: what differs from stroke to stroke.
    """
    ways = SHAPES[shape]
    return move(ways[writer.variant % len(ways)], writer, rng)


def move(aims: Path, writer: Writer, rng: np.random.Generator) -> Path:
    """The path of a hand that aims at points [k, 2] one after another, float64 [n, 2]."""
    aims = aims + rng.normal(0, writer.carelessness, aims.shape)
    x, y = aims[:, 0] * writer.aspect, aims[:, 1]
    aims = np.stack([x + writer.slant * y, y], axis=1)
    path = _through(aims, writer)
    if rng.random() < 0.5:
        path = np.concatenate([path, _hook(path[-1], rng)])
    path = np.concatenate([_rest(path[0], path, writer, rng), path, _rest(path[-1], path, writer, rng)])
    path = path + _tremor(len(path), writer.tremor, rng)
    angle = writer.tilt_rad + rng.normal(0, 0.05)
    turned = path @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = (turned.min(axis=0) + turned.max(axis=0)) / 2
    half = max(float(np.ptp(turned, axis=0).max()) / 2, 1e-6)
    result: Path = (turned - middle) * (writer.size * np.exp(rng.normal(0, 0.08)) / half)
    return result


def scribble(writer: Writer, rng: np.random.Generator) -> Path:
    """A stroke that means nothing: points anywhere, or an arc, or next to no movement."""
    kind = rng.random()
    if kind < 0.6:
        aims = rng.uniform(-0.5, 0.5, (int(rng.integers(4, 10)), 2))
    elif kind < 0.9:
        turns, points = _turns(rng), int(rng.integers(6, 16))
        angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * turns, points) * rng.choice([-1, 1])
        radius = np.linspace(rng.uniform(0.1, 1), rng.uniform(0.1, 1), points)[:, None]
        aims = radius * np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.2, 1)], axis=1)
    else:
        aims = rng.normal(0, 0.1, (3, 2)) + np.linspace(0, 1, 3)[:, None] * rng.normal(0, 0.5, 2)
    return move(aims, writer, rng)


def _turns(rng: np.random.Generator) -> float:
    """Of an arc that is no circle: about one turn would be a zero to everybody."""
    return float(rng.uniform(0.3, 0.6) if rng.random() < 0.5 else rng.uniform(1.6, 3.0))


def _through(aims: Path, writer: Writer) -> Path:
    steps = np.diff(aims, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    seconds = (_LEAST_SECONDS + _SECONDS_PER_LENGTH * lengths) / writer.tempo
    starts = np.concatenate([[0.0], np.cumsum(seconds[:-1] * writer.overlap)])
    times = np.arange(0, float((starts + seconds).max()) + 1 / SAMPLE_RATE_HZ, 1 / SAMPLE_RATE_HZ)
    share = np.clip((times[:, None] - starts) / seconds, 0, 1)
    progress = share**3 * (10 - 15 * share + 6 * share**2)
    path: Path = aims[0] + progress @ steps
    return path


def _rest(place: Path, path: Path, writer: Writer, rng: np.random.Generator) -> Path:
    return np.repeat(place[None], int(rng.uniform(0, writer.hesitation) * len(path)), axis=0)


def _hook(end: Path, rng: np.random.Generator) -> Path:
    """The hand leaves before the recording ends."""
    count = int(rng.integers(3, 9))
    direction = rng.normal(0, 0.07, 2)
    return end + np.linspace(0, 1, count)[:, None] ** 2 * direction


def _tremor(count: int, amplitude: float, rng: np.random.Generator) -> Any:
    seconds = np.arange(count)[:, None] / SAMPLE_RATE_HZ
    hertz, phase = rng.uniform(*_TREMOR_HZ, (2,)), rng.uniform(0, 2 * np.pi, 2)
    return amplitude * np.sin(2 * np.pi * hertz * seconds + phase)
