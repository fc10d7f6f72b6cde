"""What gravity reveals about units: by its magnitude, and by how it turns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.units import ACCELERATION_G, COUNTS_PER_G, ROTATION_DPS, Unit

Values = NDArray[np.float64]

# A quarter of the samples feel less than this much of g; recordings of hands and machines: 0.85 to 1.3.
FELT_G = (0.6, 1.7)
# A declared unit is wrong beyond these: nobody feels so much, or so little while a constant force is there.
_DECLARED_G, _DECLARED_HELD = (0.25, 7.0), 0.8
# Nearly still, an accelerometer feels g and nothing else.
_STILL_SPREAD, _STILL_ERROR = 0.1, 0.15
HELD_SHARE = 0.1
# At rest a sensor of 16384 counts a g says at least so many of them: 16000 a g is usual too.
_COUNTS_AT_REST = (0.988, 1.04)
# Rest: rows in which nothing changes by more than this share, in enough places that agree.
_REST_ROWS, _REST_SPREAD, _REST_AGREES, _REST_SHARE = 32, 0.015, 0.03, 0.1
# Counts that are all multiples of this were shifted left: 1 g may be 16000 or 16384 then.
_SHIFTED = 16
# How well gravity must follow a rotation to reveal its unit, and by what factor it may differ.
_CONVINCING, _UNLIKE = 0.3, 3.0
# Gravity must turn at least this share of what undeclared numbers say.
_SEEN_SHARE = 0.3
_WEAK_G = 0.5
_OF_GRAVITY = ("g", "m/s2", "mg")
_SMOOTHED = 5


def lacks_gravity(parts: Sequence[Values], scale: float) -> bool:
    """Whether gravity is taken out of accelerations [n, 3], `scale` g a unit: most are far below 1 g."""
    if parts[0].shape[1] != len("xyz"):
        return False
    return (
        float(np.median(np.concatenate([np.linalg.norm(part, axis=1) for part in parts]))) * scale < _WEAK_G
    )


def feels_gravity(values: Values) -> bool:
    """Whether three columns [n, 3] can be an acceleration, in some unit."""
    return by_gravity([values]) is not None


def by_gravity(parts: Sequence[Values]) -> tuple[Unit, bool] | None:
    """(the unit in which the data feels g, whether it lies nearly still); None where it feels none."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.concatenate([np.linalg.norm(part, axis=1) for part in parts])
    if not np.isfinite(lengths).all():
        return None
    low, usual, middle, high = np.quantile(lengths, [0.1, 0.25, 0.5, 0.9])
    if not usual > 0 or np.median([held(part) for part in parts]) < HELD_SHARE:
        return None
    still = bool(high - low < _STILL_SPREAD * middle)
    whole = are_whole(parts)
    for unit in () if whole and usual > 1 / FELT_G[0] else _OF_GRAVITY:
        felt = usual * ACCELERATION_G[unit]
        if abs(felt - 1) < _STILL_ERROR if still else FELT_G[0] < felt < FELT_G[1]:
            return Unit(unit, ACCELERATION_G[unit], told=False), still
    if not whole or all((part % _SHIFTED == 0).all() for part in parts):
        return None
    rest = _at_rest(parts)
    for counts in COUNTS_PER_G if rest is not None else ():
        least, most = _COUNTS_AT_REST
        if rest is not None and least * counts <= rest <= most * counts:
            return Unit(f"counts of 1/{counts:g} g", 1.0 / counts, told=False), still
    return None


def _at_rest(parts: Sequence[Values]) -> float | None:
    """The magnitude of an acceleration [n, 3] while the sensor rests; None if it hardly ever does."""
    lengths, windows = [], 0
    for part in parts:
        for start in range(0, len(part) - _REST_ROWS + 1, _REST_ROWS):
            window = part[start : start + _REST_ROWS]
            length = float(np.linalg.norm(window.mean(axis=0)))
            windows += 1
            if np.linalg.norm(window.std(axis=0)) < _REST_SPREAD * length:
                lengths.append(length)
    if not lengths or len(lengths) < _REST_SHARE * windows:
        return None
    middle = float(np.median(lengths))
    return middle if max(lengths) - min(lengths) < _REST_AGREES * middle else None


def usual_length(parts: Sequence[Values]) -> float:
    return float(np.median(np.concatenate([np.linalg.norm(part, axis=1) for part in parts])))


def are_whole(parts: Sequence[Values]) -> bool:
    return all(bool((part == np.rint(part)).all()) for part in parts)


def is_impossible(parts: Sequence[Values], scale: float, margin: float = 1.0) -> bool:
    """Whether a unit of accelerations [n, axes] makes them larger or smaller than any that are felt."""
    felt = float(np.quantile(np.concatenate([np.linalg.norm(part, axis=1) for part in parts]), 0.25)) * scale
    least, most = _DECLARED_G
    constant = (
        parts[0].shape[1] == len("xyz") and float(np.median([held(part) for part in parts])) > _DECLARED_HELD
    )
    return felt > most * margin or (constant and 0 < felt < least / margin)


def held(part: Values) -> float:
    """How much of an acceleration [n, axes] is one constant force: 0 to 1."""
    return float(np.linalg.norm(part.mean(axis=0)) / max(np.linalg.norm(part, axis=1).mean(), 1e-30))


def still_elsewhere(parts: Sequence[Values], unit: str) -> bool:
    return not 0.4 < usual_length(parts) * ACCELERATION_G[unit] < 2.5


def by_gravity_turning(parts: Sequence[Values], forces: Sequence[tuple[Values, float | None]]) -> Unit | None:
    """Gravity turns against the sensor as the gyroscope says: da/dt = a × w, if w is in radians a second."""
    both, expected, changed = _turning(parts, forces)
    if not expected > 0 or not changed > 0 or abs(both) < _CONVINCING * math.sqrt(expected * changed):
        return None
    per_radian = abs(both / expected)
    unit = min(
        ("rad/s", "deg/s"), key=lambda name: abs(math.log(per_radian / math.radians(ROTATION_DPS[name])))
    )
    if abs(math.log(per_radian / math.radians(ROTATION_DPS[unit]))) > math.log(_UNLIKE):
        return None
    return Unit(unit, ROTATION_DPS[unit], told=False)


def is_seen(parts: Sequence[Values], forces: Sequence[tuple[Values, float | None]]) -> bool:
    """Whether gravity changes as fast as rotations in degrees a second would turn it."""
    _, expected, changed = _turning(parts, forces)
    return changed >= (_SEEN_SHARE * math.radians(1.0)) ** 2 * expected


def _turning(
    parts: Sequence[Values], forces: Sequence[tuple[Values, float | None]]
) -> tuple[float, float, float]:
    """Sums of da/dt · (a × w), (a × w)² and (da/dt)²."""
    both = expected = changed = 0.0
    for rate, (force, rate_hz) in zip(parts, forces, strict=True):
        if rate_hz is None or rate.shape[1] != 3 or force.shape[1] != 3 or len(force) < 4 * _SMOOTHED:
            continue
        a, w = _smooth(force), _smooth(rate)
        change = (a[2:] - a[:-2]) * rate_hz / 2
        turned = np.cross(a, w)[1:-1]
        both += float((change * turned).sum())
        expected += float((turned**2).sum())
        changed += float((change**2).sum())
    return both, expected, changed


def _smooth(values: Values) -> Values:
    kernel = np.ones(_SMOOTHED) / _SMOOTHED
    return np.stack([np.convolve(column, kernel, "valid") for column in values.T], axis=1)
