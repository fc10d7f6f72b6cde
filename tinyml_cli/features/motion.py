"""Motion to strokes: the host side of `firmware/lib/motion`, the same integers.

Its README.md explains the computation. Samples are int16 [n, 6]: acceleration x, y, z in g / 1000,
rotation x, y, z in 0.1 deg/s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 160  # RASTER_MAX_POINTS
MAX_SAMPLES = 512  # WAND_STROKE_CAPACITY

_ONE_Q30 = 1 << 30
_ONE_Q15 = 32767
_STEP_MILLIHERTZ_Q38 = 239876225858
_REST_SAMPLES = 32
_REST_SPREADS = (200, 200, 200, 120, 120, 120)
_LARGEST_BIAS = 400 * _REST_SAMPLES
_REST_PULL_SHIFT, _MOVING_PULL_SHIFT, _BIAS_SHIFT = 16, 21, 5
_LARGEST_HALF_ANGLE = 1 << 29
_LOW_GRAVITY, _HIGH_GRAVITY = 900 * 900, 1100 * 1100
_START_SPEED, _STOP_SPEED = 250 * 250, 150 * 150
_START_SAMPLES, _STOP_SAMPLES, _BEFORE, _AFTER = 3, 30, 12, 4
_SMALLEST_EXTENT, _STEEPEST = 12, 4

Points = NDArray[np.int8]
_Vector = tuple[int, int, int]


class Attitude:
    """Which way a board is turned.

    Args:
        rate_hz: of the samples.

    Attributes:
        quaternion: w, x, y, z in Q30, board -> world.
        bias_q8: of the gyroscope, in 0.1 deg/s / 256.
        aligned: there has been a rest.
        at_rest: now.
    """

    def __init__(self, rate_hz: float) -> None:
        self.quaternion = [_ONE_Q30, 0, 0, 0]
        self.bias_q8 = [0, 0, 0]
        self.aligned = False
        self.at_rest = False
        self._step_q38 = _STEP_MILLIHERTZ_Q38 // round(rate_hz * 1000)
        self._recent: deque[Sequence[int]] = deque(maxlen=_REST_SAMPLES)

    def push(self, sample: Sequence[int]) -> None:
        """Takes one sample."""
        self._recent.append(sample)
        columns = list(zip(*self._recent, strict=True))
        self.at_rest = len(self._recent) == _REST_SAMPLES and _rests(columns)
        if self.at_rest:
            self._learn_rest([sum(column) for column in columns])
        half = self._pull_of_gravity(sample)
        for axis in range(3):
            rate_q8 = sample[3 + axis] * 256 - self.bias_q8[axis]
            angle = half[axis] + (rate_q8 * self._step_q38 >> 16)
            half[axis] = min(max(angle, -_LARGEST_HALF_ANGLE), _LARGEST_HALF_ANGLE)
        self._turn(half)

    def speed_squared(self) -> int:
        """Of the last sample, in (0.1 deg/s)^2, less the bias."""
        sample = self._recent[-1]
        return sum((sample[3 + axis] - (self.bias_q8[axis] >> 8)) ** 2 for axis in range(3))

    def axis(self, axis: int) -> list[int]:
        """Where an axis of the board points in the world, in Q15."""
        j, k = (axis + 1) % 3, (axis + 2) % 3
        w, a, b, c = (self.quaternion[i] for i in (0, 1 + axis, 1 + j, 1 + k))
        q30 = (_ONE_Q30 - ((b * b + c * c) >> 29), (a * b + w * c) >> 29, (a * c - w * b) >> 29)
        world = [0, 0, 0]
        for place, value in zip((axis, j, k), q30, strict=True):
            world[place] = min(max((value + (1 << 14)) >> 15, -_ONE_Q15), _ONE_Q15)
        return world

    def _learn_rest(self, sums: Sequence[int]) -> None:
        for axis in range(3):
            mean_q8, bias_q8 = sums[3 + axis] * (256 // _REST_SAMPLES), self.bias_q8[axis]
            self.bias_q8[axis] = bias_q8 + ((mean_q8 - bias_q8) >> _BIAS_SHIFT) if self.aligned else mean_q8
        if not self.aligned:
            self._align(sums[:3])

    def _align(self, force: Sequence[int]) -> None:
        length = isqrt(sum(value * value for value in force))
        if length == 0:
            return
        raw = (length + force[2], force[1], -force[0], 0)
        raw_length = isqrt(sum(value * value for value in raw))
        if raw_length * 64 < length:
            self.quaternion = [0, _ONE_Q30, 0, 0]
        else:
            self.quaternion = [_clamp32(_divided(value * _ONE_Q30, raw_length)) for value in raw]
        self._normalise()
        self.aligned = True

    def _pull_of_gravity(self, sample: Sequence[int]) -> list[int]:
        force = sample[:3]
        if not _LOW_GRAVITY < sum(value * value for value in force) < _HIGH_GRAVITY:
            return [0, 0, 0]
        w, x, y, z = self.quaternion
        up = (
            (x * z - w * y) >> 29,
            (y * z + w * x) >> 29,
            _ONE_Q30 - ((x * x + y * y) >> 29),
        )
        shift = _REST_PULL_SHIFT if self.at_rest else _MOVING_PULL_SHIFT
        turns = ((1, 2), (2, 0), (0, 1))
        return [(force[j] * up[k] - force[k] * up[j]) >> shift for j, k in turns]

    def _turn(self, half: Sequence[int]) -> None:
        square = sum(value * value >> 30 for value in half)
        fourth = square * square >> 30
        c = _ONE_Q30 - square // 2 + fourth // 24
        s = _ONE_Q30 - square // 6 + fourth // 120
        x1, y1, z1 = (value * s >> 30 for value in half)
        w, x, y, z = self.quaternion
        turned = (
            (w * c - x * x1 - y * y1 - z * z1) >> 30,
            (w * x1 + x * c + y * z1 - z * y1) >> 30,
            (w * y1 - x * z1 + y * c + z * x1) >> 30,
            (w * z1 + x * y1 - y * x1 + z * c) >> 30,
        )
        self.quaternion = [_clamp32(value) for value in turned]
        self._normalise()

    def _normalise(self) -> None:
        square = sum(value * value >> 30 for value in self.quaternion)
        factor = _divided(3 * _ONE_Q30 - square, 2)
        self.quaternion = [_clamp32(value * factor >> 30) for value in self.quaternion]


class WandStroke:
    """Finds strokes between rests.

    Args:
        rate_hz: of the samples.
    """

    def __init__(self, rate_hz: float) -> None:
        self.attitude = Attitude(rate_hz)
        self._directions: deque[_Vector] = deque(maxlen=MAX_SAMPLES)
        self._phase = "waiting"
        self._fast = self._slow = 0

    def push(self, sample: Sequence[int]) -> str | None:
        """Takes one sample; "started", "done" (read `points` before the next) or "too long", where one is."""
        self.attitude.push(sample)
        speed = self.attitude.speed_squared()
        self._fast = min(self._fast + 1, _START_SAMPLES) if speed > _START_SPEED else 0
        self._slow = min(self._slow + 1, _STOP_SAMPLES) if speed < _STOP_SPEED else 0
        if self._phase == "ignoring":
            if self._slow == _STOP_SAMPLES:
                self._phase = "waiting"
                self._directions.clear()
            return None
        x, y, z = self.attitude.axis(0)
        self._directions.append((-x, -y, -z))
        return self._wait() if self._phase == "waiting" else self._draw()

    def points(self) -> Points:
        """The stroke int8 [n, 2] in 128ths of the wand's length.

        It is [0, 2] where the wand hardly moved, or pointed straight up or down.
        """
        nothing: Points = np.zeros((0, 2), np.int8)
        plane = self._plane()
        if plane is None:
            return nothing
        seen = [_project(plane, direction) for direction in self._directions]
        lows, highs = ([pick(side) for side in zip(*seen, strict=True)] for pick in (min, max))
        if max(high - low for low, high in zip(lows, highs, strict=True)) < _SMALLEST_EXTENT * 256:
            return nothing
        last, count = len(seen) - 1, min(len(seen), MAX_POINTS)
        chosen = [seen[(2 * i * last + count - 1) // (2 * (count - 1))] for i in range(count)]
        middle = [(low + high) >> 1 for low, high in zip(lows, highs, strict=True)]
        return _int8([[(at[side] - middle[side] + 128) >> 8 for side in (0, 1)] for at in chosen])

    def _wait(self) -> str | None:
        while len(self._directions) > _BEFORE + _START_SAMPLES:
            self._directions.popleft()
        if self._fast < _START_SAMPLES or not self.attitude.aligned:
            return None
        self._phase = "drawing"
        return "started"

    def _draw(self) -> str | None:
        if self._slow >= _STOP_SAMPLES:
            for _ in range(_STOP_SAMPLES - _AFTER):
                self._directions.pop()
            self._phase = "ignoring"
            return "done"
        if len(self._directions) == MAX_SAMPLES:
            self._phase = "ignoring"
            return "too long"
        return None

    def _plane(self) -> tuple[int, int, int, int] | None:
        if len(self._directions) < 2:
            return None
        x, y, z = (sum(part) for part in zip(*self._directions, strict=True))
        level, length = isqrt(x * x + y * y), isqrt(x * x + y * y + z * z)
        if level == 0 or level * _STEEPEST < length:
            return None
        return (
            _divided(y * _ONE_Q15, level),
            _divided(-x * _ONE_Q15, level),
            _divided(z * _ONE_Q15, length),
            level * _ONE_Q15 // length,
        )


def strokes_of(samples: NDArray[np.int16], rate_hz: float) -> Iterator[Points]:
    """Every stroke int8 [n, 2] of a recording int16 [n, 6]."""
    wand = WandStroke(rate_hz)
    for sample in samples.tolist():
        if wand.push(sample) == "done" and len(points := wand.points()):
            yield points


def turned(points: Points) -> Points:
    """The stroke int8 [n, 2], turned about its mean point until it begins straight above."""
    places = points.tolist()
    n = len(places)
    sum_x, sum_y = sum(x for x, _ in places), sum(y for _, y in places)
    up_x, up_y = (places[0][0] * n - sum_x, places[0][1] * n - sum_y) if n else (0, 0)
    length = isqrt(up_x * up_x + up_y * up_y)
    if length == 0:
        return points
    rows = []
    for place in places:
        x, y = place[0] * n - sum_x, place[1] * n - sum_y
        rows.append([_divided(x * up_y - y * up_x, length * n), _divided(x * up_x + y * up_y, length * n)])
    return _int8(rows)


def _rests(columns: Sequence[Sequence[int]]) -> bool:
    calm = all(
        max(column) - min(column) <= spread for column, spread in zip(columns, _REST_SPREADS, strict=True)
    )
    return calm and all(abs(sum(column)) <= _LARGEST_BIAS for column in columns[3:])


def _project(plane: tuple[int, int, int, int], direction: _Vector) -> tuple[int, int]:
    right_x, right_y, height, level = plane
    x, y, z = direction
    ahead = (y * right_x - x * right_y) >> 15
    return (x * right_x + y * right_y) >> 15, (z * level - ahead * height) >> 15


def _int8(rows: Sequence[Sequence[int]]) -> Points:
    points: Points = np.clip(np.array(rows), -128, 127).astype(np.int8)
    return points


def _clamp32(value: int) -> int:
    return min(max(value, -(1 << 31)), (1 << 31) - 1)


def _divided(value: int, by: int) -> int:
    """C's division, towards zero."""
    return value // by if value >= 0 else -(-value // by)
