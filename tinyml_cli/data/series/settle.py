"""Units of acceleration and rotation: declared, or inferred from gravity and physical limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.units import ACCELERATION_G, COUNTS_PER_G, ROTATION_DPS, canonical
from tinyml_cli.errors import TinymlError

Values = NDArray[np.float64]

# A quarter of the samples feel less than this much of g; recordings of hands and machines: 0.85 to 1.3.
_FELT_G = (0.6, 1.7)
# A declared unit is wrong beyond these: nobody feels so much, or so little while a constant force is there.
_DECLARED_G, _DECLARED_HELD = (0.25, 7.0), 0.8
# Nearly still, an accelerometer feels g and nothing else.
_STILL_SPREAD, _STILL_ERROR = 0.1, 0.15
_HELD_SHARE = 0.1
# At rest a sensor of 16384 counts a g says at least so many of them: 16000 a g is usual too.
_COUNTS_AT_REST = (0.988, 1.04)
_COUNTS_OCTAVES = 0.5
# Rest: rows in which nothing changes by more than this share, in enough places that agree.
_REST_ROWS, _REST_SPREAD, _REST_AGREES, _REST_SHARE = 32, 0.015, 0.03, 0.1
# Counts that are all multiples of this were shifted left: 1 g may be 16000 or 16384 then.
_SHIFTED = 16
# No hand and no gyroscope of these boards turns faster than 35 rad/s, 2000 degrees a second.
_FASTEST_RAD_S, _FASTEST_DPS = 36.0, 4200.0
# How much gravity must turn as a rotation says to tell its unit, and by what factor it may differ.
_CONVINCING, _UNLIKE = 0.3, 3.0
# Undeclared numbers above this may be thousandths; gravity must turn at least this share of what they say.
_USUAL_DPS, _SEEN_SHARE = 2200.0, 0.3
_WEAK_G = 0.5
_OF_GRAVITY = ("g", "m/s2", "mg")
OWN = "own"
"""How data.units.accel says that acceleration stays in the file's own unit."""
_SMOOTHED = 5
_GYRO_COUNTS = (
    "131 (±250), 65.5 (±500), 32.8 (±1000), 16.4 (±2000 deg/s); ST's sensors, such as the LSM9DS1 of the "
    "Nano 33 BLE Sense: 114.3, 57.1, 28.6, 14.3"
)
# The course's sketches send g and degrees a second under these names.
_COURSE = ("aX", "aY", "aZ", "gX", "gY", "gZ")


@dataclass(frozen=True)
class Unit:
    """What one unit of a file is.

    Attributes:
        name: for people.
        scale: g or degrees a second per unit; None where the file's own unit is kept.
        told: whether the file or the user says so, and nothing was concluded.
        assumed: whether neither the file nor gravity says so, but other files of the user.
    """

    name: str
    scale: float | None
    told: bool = True
    assumed: bool = False

    @property
    def option(self) -> str:
        """How data.units names it."""
        known = self.name in ACCELERATION_G or self.name in ROTATION_DPS or self.scale is None
        return self.name if known else f"{1 / self.scale:g}"  # type: ignore[operator]


def given(value: str | float | None, table: dict[str, float], option: str, of: str) -> Unit | None:
    """The unit that an option names: one of a table, or counts per unit.

    Raises:
        TinymlError: it names none.
    """
    if value is None:
        return None
    unit = canonical(value) if isinstance(value, str) else None
    if unit in table:
        return Unit(str(unit), table[str(unit)])
    try:
        counts = float(value)
    except ValueError:
        counts = math.nan
    if math.isfinite(counts) and counts > 0:
        return Unit(f"counts of 1/{counts:g} {of}", 1.0 / counts)
    raise TinymlError(
        f"`{value}` is not a known unit",
        option,
        f"Known: {', '.join(table)}, or the number of counts per {of}.",
    )


def acceleration(
    parts: Sequence[Values],
    declared: set[str],
    names: Sequence[str],
    linear: bool,
    where: str,
    option: Unit | None,
) -> Unit:
    """The unit of accelerations [n, axes] that all come from one kind of file.

    Args:
        parts: of all files of one kind.
        declared: what they say.
        names: of the columns.
        linear: whether gravity is taken out.
        where: a file, for messages.
        option: what the user says.

    Raises:
        TinymlError: two units are possible.
    """
    if option is not None:
        return option
    found = _by_gravity(parts) if not linear and parts[0].shape[1] == 3 else None
    known = declared - {"", "counts"}
    if len(known) > 1 or (known and not known <= set(ACCELERATION_G)):
        raise _ask("accel", f"Acceleration is in {' and '.join(sorted(declared))}", where, "g, mg or m/s2")
    if known:
        unit = known.pop()
        other = found[0].name if found is not None and found[0].name != unit else ""
        impossible = not linear and _is_impossible(parts, ACCELERATION_G[unit])
        if impossible or (other and found is not None and found[1] and _still_elsewhere(parts, unit)):
            what = f"The file gives acceleration in {unit}, but " + (
                f"it measures 1 g in {other}" if other else "the values are impossible in that unit"
            )
            raise _ask("accel", what, where, f"{unit} or {other or 'the counts per g'}")
        return Unit(unit, ACCELERATION_G[unit])
    if found is not None and ("counts" not in declared or found[0].name.startswith("counts")):
        return found[0]
    example, why = "", "gravity does not reveal it"
    if _are_whole(parts) and not linear:
        felt = _usual_length(parts)
        nearest = min(COUNTS_PER_G, key=lambda each: abs(math.log2(max(felt, 1.0) / each)))
        example = f"{nearest:g}" if abs(math.log2(max(felt, 1.0) / nearest)) < _COUNTS_OCTAVES else ""
        why = f"whole numbers (about {felt:,.0f} for 1 g) could be mg or sensor counts"
    raise _ask(
        "accel",
        f"The file does not give the unit of acceleration ({', '.join(names)}), and {why}",
        where,
        "g, mg, m/s2, the counts per g of the sensor's data sheet, such as 1024, 16000 or 16384, or "
        f"{OWN} to leave it in the file's own unit for anomaly detection",
        example,
    )


def check_alike(part: Values, unit: Unit, where: str, beside: str) -> None:
    """Refuses a file of accelerations [n, axes] in another unit than the others of its kind.

    Raises:
        TinymlError: it is one.
    """
    alone = _by_gravity([part]) if part.shape[1] == 3 and not unit.told else None
    other = alone[0].name if alone is not None and alone[0].name != unit.name else ""
    # One short take may well be thrown or in free fall; another unit is nearly ten times off.
    if other or (unit.scale is not None and _is_impossible([part], unit.scale, margin=3.0)):
        raise TinymlError(
            f"Acceleration is in {unit.name} in the other files, such as `{Path(beside).name}`, "
            f"but here it is {f'in {other}' if other else 'impossible in that unit'}",
            where,
            "Read the files of each unit separately, for example with data import and --set "
            "data.units.accel=….",
        )


def rotation(
    parts: Sequence[Values],
    declared: set[str],
    names: Sequence[str],
    felt: Unit,
    forces: Sequence[tuple[Values, float | None]],
    where: str,
    option: Unit | None,
) -> Unit:
    """The unit of rotations [n, axes].

    Args:
        parts: of all files of one kind.
        declared: what they say.
        names: of the columns of acceleration and rotation.
        felt: the unit of acceleration.
        forces: accelerations [n, 3] in g beside each part, and their rate where it is known.
        where: a file, for messages.
        option: what the user says.

    Raises:
        TinymlError: two units are possible.
    """
    if option is not None:
        return option
    fastest = _fastest(parts)
    known = declared - {"", "counts"}
    if len(known) > 1 or (known and not known <= set(ROTATION_DPS)):
        raise _ask("gyro", f"Rotation is in {' and '.join(sorted(declared))}", where, "deg/s, mdps or rad/s")
    turned = _by_gravity_turning(parts, forces)
    if known:
        unit = known.pop()
        if fastest * ROTATION_DPS[unit] > _FASTEST_DPS:
            what = f"The file gives rotation in {unit}, but no gyroscope measures {fastest:.4g} of it"
            raise _ask("gyro", what, where, f"{unit}, deg/s or the counts per deg/s: {_GYRO_COUNTS}")
        if turned is not None and {unit, turned.name} == {"deg/s", "rad/s"}:
            what = f"The file gives rotation in {unit}, but gravity turns as if it were {turned.name}"
            raise _ask("gyro", what, where, f"{unit} or {turned.name}")
        return Unit(unit, ROTATION_DPS[unit])
    of = ", ".join(names[-parts[0].shape[1] :])
    if "counts" in declared or felt.name.startswith("counts") or fastest > _FASTEST_DPS:
        what = f"Rotation ({of}) is in sensor counts (up to {fastest:.4g})"
        raise _ask("gyro", what, where, f"the counts per degree per second: {_GYRO_COUNTS}", "131")
    if fastest == 0:
        return Unit("deg/s", 1.0, told=False)
    if fastest > _FASTEST_RAD_S:
        shown = turned is not None and turned.name == "deg/s"
        if not shown and (_are_whole(parts) or fastest > _USUAL_DPS or not _is_seen(parts, forces)):
            what = f"Rotation ({of}) of up to {fastest:.4g} could be in deg/s, mdps or sensor counts"
            raise _ask("gyro", what, where, f"deg/s, mdps or the counts per deg/s: {_GYRO_COUNTS}")
        return Unit("deg/s", 1.0, told=False)
    if turned is not None:
        return turned
    if tuple(names) == _COURSE and felt.name == "g":
        return Unit("deg/s", 1.0, told=False)
    what = f"Rotation ({of}) of up to {fastest:.3g} could be in deg/s or rad/s; the file does not say"
    raise _ask("gyro", what, where, "deg/s or rad/s")


def acceleration_fits(parts: Sequence[Values], unit: Unit, linear: bool) -> bool:
    """Whether accelerations [n, axes] of files that do not tell their unit may be in that of other files."""
    if unit.scale is None:
        return True
    if not linear and parts[0].shape[1] == len("xyz") and np.median([held(p) for p in parts]) >= _HELD_SHARE:
        felt = np.quantile(np.concatenate([np.linalg.norm(part, axis=1) for part in parts]), 0.25)
        return bool(_FELT_G[0] < felt * unit.scale < _FELT_G[1])
    return not _is_impossible(parts, unit.scale)


def rotation_fits(parts: Sequence[Values], unit: Unit) -> bool:
    """Whether rotations [n, axes] of files that do not tell their unit may be in that of other files."""
    return unit.scale is not None and _fastest(parts) * unit.scale <= _FASTEST_DPS


def _fastest(parts: Sequence[Values]) -> float:
    return float(np.quantile(np.concatenate([np.abs(part).max(axis=1) for part in parts]), 0.99))


def lacks_gravity(parts: Sequence[Values], scale: float) -> bool:
    """Whether gravity is taken out of accelerations [n, 3], `scale` g a unit: most are far below 1 g."""
    if parts[0].shape[1] != len("xyz"):
        return False
    return (
        float(np.median(np.concatenate([np.linalg.norm(part, axis=1) for part in parts]))) * scale < _WEAK_G
    )


def feels_gravity(values: Values) -> bool:
    """Whether three columns [n, 3] can be an acceleration, in some unit."""
    return _by_gravity([values]) is not None


def _ask(which: str, what: str, where: str, choice: str, example: str = "") -> TinymlError:
    value = example or choice.split(",")[0].split(" or ")[0]
    return TinymlError(
        what,
        where,
        f"Set it with --set data.units.{which}={value} ({choice}); for a command without --set, convert the "
        "files first: tinyml data import.",
    )


def _by_gravity(parts: Sequence[Values]) -> tuple[Unit, bool] | None:
    """(the unit in which the data feels g, whether it lies nearly still); None where it feels none."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.concatenate([np.linalg.norm(part, axis=1) for part in parts])
    if not np.isfinite(lengths).all():
        return None
    low, usual, middle, high = np.quantile(lengths, [0.1, 0.25, 0.5, 0.9])
    if not usual > 0 or np.median([held(part) for part in parts]) < _HELD_SHARE:
        return None
    still = bool(high - low < _STILL_SPREAD * middle)
    whole = _are_whole(parts)
    for unit in () if whole and usual > 1 / _FELT_G[0] else _OF_GRAVITY:
        felt = usual * ACCELERATION_G[unit]
        if abs(felt - 1) < _STILL_ERROR if still else _FELT_G[0] < felt < _FELT_G[1]:
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
    """How long an acceleration [n, 3] is where the sensor rests; None where it hardly does."""
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


def _usual_length(parts: Sequence[Values]) -> float:
    return float(np.median(np.concatenate([np.linalg.norm(part, axis=1) for part in parts])))


def _are_whole(parts: Sequence[Values]) -> bool:
    return all(bool((part == np.rint(part)).all()) for part in parts)


def _is_impossible(parts: Sequence[Values], scale: float, margin: float = 1.0) -> bool:
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


def _still_elsewhere(parts: Sequence[Values], unit: str) -> bool:
    return not 0.4 < _usual_length(parts) * ACCELERATION_G[unit] < 2.5


def _by_gravity_turning(
    parts: Sequence[Values], forces: Sequence[tuple[Values, float | None]]
) -> Unit | None:
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


def _is_seen(parts: Sequence[Values], forces: Sequence[tuple[Values, float | None]]) -> bool:
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
