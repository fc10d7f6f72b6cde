"""Units of acceleration and rotation: declared, or inferred from gravity and physical limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli.data.series.gravity import (
    FELT_G,
    HELD_SHARE,
    Values,
    are_whole,
    by_gravity,
    by_gravity_turning,
    held,
    is_impossible,
    is_seen,
    still_elsewhere,
    usual_length,
)
from tinyml_cli.data.series.units import ACCELERATION_G, COUNTS_PER_G, ROTATION_DPS, Unit, canonical
from tinyml_cli.errors import TinymlError

_COUNTS_OCTAVES = 0.5
# No hand and no gyroscope of these boards turns faster than 35 rad/s, 2000 degrees a second.
_FASTEST_RAD_S, _FASTEST_DPS = 36.0, 4200.0
OWN = "own"
"""How data.units.accel says that acceleration stays in the file's own unit."""
# Undeclared numbers above this may be thousandths.
_USUAL_DPS = 2200.0
_GYRO_COUNTS = (
    "131 (±250), 65.5 (±500), 32.8 (±1000), 16.4 (±2000 deg/s); ST's sensors, such as the LSM9DS1 of the "
    "Nano 33 BLE Sense: 114.3, 57.1, 28.6, 14.3"
)
# The course's sketches send g and degrees a second under these names.
COURSE = ("aX", "aY", "aZ", "gX", "gY", "gZ")


def given(value: str | float | None, table: dict[str, float], option: str, of: str) -> Unit | None:
    """The unit that an option names: one of a table, or counts per unit.

    Raises:
        TinymlError: it is not a known unit.
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
    found = by_gravity(parts) if not linear and parts[0].shape[1] == 3 else None
    known = declared - {"", "counts"}
    if len(known) > 1 or (known and not known <= set(ACCELERATION_G)):
        raise _ask("accel", f"Acceleration is in {' and '.join(sorted(declared))}", where, "g, mg or m/s2")
    if known:
        unit = known.pop()
        other = found[0].name if found is not None and found[0].name != unit else ""
        impossible = not linear and is_impossible(parts, ACCELERATION_G[unit])
        if impossible or (other and found is not None and found[1] and still_elsewhere(parts, unit)):
            what = f"The file gives acceleration in {unit}, but " + (
                f"it measures 1 g in {other}" if other else "the values are impossible in that unit"
            )
            raise _ask("accel", what, where, f"{unit} or {other or 'the counts per g'}")
        return Unit(unit, ACCELERATION_G[unit])
    if found is not None and ("counts" not in declared or found[0].name.startswith("counts")):
        return found[0]
    example, why = "", "gravity does not reveal it"
    if are_whole(parts) and not linear:
        felt = usual_length(parts)
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
        TinymlError: its unit differs.
    """
    alone = by_gravity([part]) if part.shape[1] == 3 and not unit.told else None
    other = alone[0].name if alone is not None and alone[0].name != unit.name else ""
    # One short take may well be thrown or in free fall; another unit is nearly ten times off.
    if other or (unit.scale is not None and is_impossible([part], unit.scale, margin=3.0)):
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
    turned = by_gravity_turning(parts, forces)
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
        if not shown and (are_whole(parts) or fastest > _USUAL_DPS or not is_seen(parts, forces)):
            what = f"Rotation ({of}) of up to {fastest:.4g} could be in deg/s, mdps or sensor counts"
            raise _ask("gyro", what, where, f"deg/s, mdps or the counts per deg/s: {_GYRO_COUNTS}")
        return Unit("deg/s", 1.0, told=False)
    if turned is not None:
        return turned
    if tuple(names) == COURSE and felt.name == "g":
        return Unit("deg/s", 1.0, told=False)
    what = f"Rotation ({of}) of up to {fastest:.3g} could be in deg/s or rad/s; the file does not say"
    raise _ask("gyro", what, where, "deg/s or rad/s")


def acceleration_fits(parts: Sequence[Values], unit: Unit, linear: bool) -> bool:
    """Whether accelerations [n, axes] of files that do not tell their unit may be in that of other files."""
    if unit.scale is None:
        return True
    if not linear and parts[0].shape[1] == len("xyz") and np.median([held(p) for p in parts]) >= HELD_SHARE:
        felt = np.quantile(np.concatenate([np.linalg.norm(part, axis=1) for part in parts]), 0.25)
        return bool(FELT_G[0] < felt * unit.scale < FELT_G[1])
    return not is_impossible(parts, unit.scale)


def rotation_fits(parts: Sequence[Values], unit: Unit) -> bool:
    """Whether rotations [n, axes] of files that do not tell their unit may be in that of other files."""
    return unit.scale is not None and _fastest(parts) * unit.scale <= _FASTEST_DPS


def _fastest(parts: Sequence[Values]) -> float:
    return float(np.quantile(np.concatenate([np.abs(part).max(axis=1) for part in parts]), 0.99))


def _ask(which: str, what: str, where: str, choice: str, example: str = "") -> TinymlError:
    value = example or choice.split(",")[0].split(" or ")[0]
    return TinymlError(
        what,
        where,
        f"Set it with --set data.units.{which}={value} ({choice}); for a command without --set, convert the "
        "files first: tinyml data import.",
    )
