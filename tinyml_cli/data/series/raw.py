"""One recording as in its files: columns by quantity, and the clock; units unchanged."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series import settle, table
from tinyml_cli.data.series.acquisition import SUFFIXES as ACQUISITIONS
from tinyml_cli.data.series.acquisition import Acquisition, read_acquisition
from tinyml_cli.data.series.clock import Clock, moments_of, read_clock
from tinyml_cli.data.series.columns import AXES, Kind, Role, choose, is_index, rivals, role_of, units_of_app
from tinyml_cli.data.series.settle import Values
from tinyml_cli.data.series.sources import RecordedTable, SeriesSource
from tinyml_cli.data.series.units import ACCELERATION_G, SECONDS, canonical
from tinyml_cli.data.series.windows import MOST_CHANNELS
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.wording import counted

_LARGEST = 1e15
_FEWEST_TIMED_ROWS = 5
_STEADY_SHARE = 0.9
_PARTS = ("ms", "us", "ns")
# Of an acceleration that is one constant force: gravity is in it.
_HELD = 0.8
# Rows of this many sensors at most, of which this share changes from one to another.
_MOST_KINDS, _IN_TURN = 16, 0.3
_CLOCK = re.compile(r"\d:\d\d")
_COLUMNS = "Or name all columns with --set data.columns=[…] (`index` for one that counts rows)."
_HEADER = "Name the columns in the first line (for example: time_s,ax,ay,az) or with --set data.columns=[…]"


@dataclass
class Raw:
    """One recording as it stands in its file."""

    source: SeriesSource
    names: list[str]
    roles: list[Role]
    values: Values
    labels: list[str] | None = None
    clock: Clock | None = None
    cuts: list[int] = field(default_factory=list)
    rate_hz: float | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        return str(self.source.path)

    @property
    def is_linear(self) -> bool:
        """Whether gravity is taken out of its acceleration."""
        return any(self.roles[i].linear for i in self.columns("acceleration"))

    def columns(self, kind: Kind) -> list[int]:
        found = choose(self.roles, kind)
        return [found[axis] for axis in AXES if axis in found]


def read_raw(source: SeriesSource, options: SeriesRecipe, motion: bool) -> Raw:
    if source.path.suffix.lower() in ACQUISITIONS:
        raw = _of_acquisition(source, read_acquisition(source.path), motion)
    else:
        raws = [_read_table(source, part, options, motion) for part in source.parts]
        raw = functools.reduce(_join, raws)
    raw = _with_gravity(raw)
    if np.abs(raw.values).max(initial=0.0) > _LARGEST:
        raise TinymlError(
            f"The file contains values beyond {_LARGEST:g}, which no sensor measures",
            raw.where,
            "Fix or remove it.",
        )
    return raw


def _of_acquisition(source: SeriesSource, recording: Acquisition, motion: bool) -> Raw:
    """A recording of Edge Impulse's."""
    names, units = zip(*recording.sensors, strict=True)
    known = ["" if canonical(unit) == "" else unit for unit in units]
    roles = _roles(names, known, list(recording.values.T), "", motion)
    return Raw(source, list(names), roles, recording.values, rate_hz=1000.0 / recording.interval_ms)


def _read_table(source: SeriesSource, part: RecordedTable, options: SeriesRecipe, motion: bool) -> Raw:
    mark = {"comma": ",", "dot": "."}.get(options.decimal or "")
    found = table.parse(part.text(), part.where, mark)
    names = _names(found, options.columns, part.where, motion)
    roles = _roles(names, found.units, found.columns, part.sensor, motion)
    roles = [Role("time") if _is_date(found, i) else role for i, role in enumerate(roles)]
    roles = [_checked(role, found, i, names, part.where) for i, role in enumerate(roles)]
    roles = _with_time(roles, found, names, options, part.where)
    time = _time_column(roles, found)
    if time is None and options.rate_hz is None:
        _check_no_steps(roles, names, part.where)
    moved = any(role.kind in ("acceleration", "gravity", "rotation") for role in roles)
    clock = None
    if time is not None:
        unit, column = options.units.time or roles[time].unit, found.columns[time]
        if (joined := _joined_time(roles, found, time, part.where)) is not None:
            unit, column = "s", joined
        clock = read_clock(column, names[time], unit, moved, found.cuts, found.lines, part.where)
    _check_one_sensor(roles, found, names, clock, part.where)
    if motion and len(several := rivals(roles, "acceleration")) > 1:
        raise TinymlError(
            f"The file has several accelerometers: {', '.join(several)}", part.where, f"Keep one. {_COLUMNS}"
        )
    kept = [
        i
        for i, role in enumerate(roles)
        if role.kind not in ("time", "step", "label") and not _is_text(found, i)
    ]
    dropped = [
        names[i]
        for i, role in enumerate(roles)
        if role.kind in ("other", "time") and _is_text(found, i) and not _is_date(found, i)
    ]
    remarks = found.remarks + ([f"text in {', '.join(dropped)} skipped"] if dropped else [])
    values = (
        np.stack([np.asarray(found.columns[i]) for i in kept], axis=1) if kept else np.empty((len(found), 0))
    )
    return Raw(
        source,
        [names[i] for i in kept],
        [roles[i] for i in kept],
        values,
        _labels(roles, found),
        clock,
        found.cuts,
        remarks=remarks,
    )


def _names(found: table.Table, given: list[str] | None, where: str, motion: bool) -> list[str]:
    """The user's names, the header's, or those that three or six axes have.

    Raises:
        TinymlError: it cannot be said what the columns hold.
    """
    width = len(found.columns)
    if given is not None and len(given) != width:
        raise TinymlError(
            f"data.columns names {counted(len(given), 'column')}, the file has {width}",
            where,
            "Name every column.",
        )
    return list(given or found.names) or _without_header(found, where, motion)


def _roles(
    names: Sequence[str], units: Sequence[str], columns: Sequence[table.Column], sensor: str, motion: bool
) -> list[Role]:
    """What the columns hold by their names, and by the name of the file."""
    linear, sensor = sensor == "linear", "acceleration" if sensor == "linear" else sensor
    roles = [role_of(name, unit or None, sensor) for name, unit in zip(names, units, strict=True)]
    roles = _with_unnamed_axes(roles, columns, motion)
    if linear:
        roles = [replace(role, linear=True) if role.kind == "acceleration" else role for role in roles]
    roles = [
        replace(role, linear=False) if role.linear and _lies_in_gravity(roles, columns) else role
        for role in roles
    ]
    own = units_of_app(names)
    forces = choose(roles, "acceleration")
    if own and _feel_gravity([columns[forces[axis]] for axis in AXES if axis in forces]):
        own.pop("acceleration")  # uncalibrated, its unit depends on the phone
    return [replace(role, unit=role.unit or own.get(role.kind, "")) for role in roles]


def _with_unnamed_axes(roles: list[Role], columns: Sequence[table.Column], motion: bool) -> list[Role]:
    """`x,y,z` are acceleration where motion is asked for, or they feel gravity, and nothing else has axes."""
    unnamed = [i for i, role in enumerate(roles) if _is_unnamed_axis(role)]
    if len({roles[i].family for i in unnamed}) != 1 or any(role.kind == "acceleration" for role in roles):
        return roles
    if not (motion or _feel_gravity([columns[i] for i in unnamed])):
        return roles
    return [replace(role, kind="acceleration") if i in unnamed else role for i, role in enumerate(roles)]


def _lies_in_gravity(roles: Sequence[Role], columns: Sequence[table.Column]) -> bool:
    """Whether an acceleration called linear is not: ROS calls all acceleration so."""
    forces = choose(roles, "acceleration")
    chosen = [columns[forces[axis]] for axis in AXES if axis in forces]
    if not all(roles[i].linear for i in forces.values()) or not _feel_gravity(chosen):
        return False
    return settle.held(np.stack([np.asarray(column) for column in chosen], axis=1)) > _HELD


def _feel_gravity(columns: Sequence[table.Column]) -> bool:
    if len(columns) != len(AXES) or any(isinstance(column, list) for column in columns):
        return False
    return settle.feels_gravity(np.stack([np.asarray(column) for column in columns], axis=1))


def _is_unnamed_axis(role: Role) -> bool:
    return role.kind == "other" and bool(role.axis) and not role.unit


def _with_time(
    roles: list[Role], found: table.Table, names: list[str], options: SeriesRecipe, where: str
) -> list[Role]:
    """With the column that is the time by its unit or its course, where no name says which it is.

    Raises:
        TinymlError: a column that may be the time, or is it in words that are not known.
    """
    if _time_column(roles, found) is not None:
        return roles
    for i, role in enumerate(roles):
        cells = found.columns[i]
        if not isinstance(cells, list) or options.rate_hz is not None or len(set(cells)) == 1:
            continue
        if role.kind == "time" or (role.kind == "other" and _CLOCK.search(cells[0])):
            raise TinymlError(
                f"`{cells[0][:40]}` in column `{names[i]}` is not a time",
                f"{where} line {found.lines[0]}",
                "Write numbers, ISO 8601 or DD.MM.YYYY hh:mm:ss, or give the rate: --set data.rate_hz=100",
            )
    others = [i for i, role in enumerate(roles) if role.kind == "other" and not role.axis]
    # `Zeit (s)`: the unit says it in any language; else it grows as nothing that is measured does.
    time = next((i for i in others if roles[i].unit in SECONDS), None)
    if time is None and len(names) > 1:
        time = next((i for i in others if not roles[i].unit and _grows(found.columns[i])), None)
        moved = any(role.kind in ("acceleration", "rotation") for role in roles)
        if time is not None and not moved and options.units.time is None:
            raise TinymlError(
                f"Column `{names[time]}` increases in even steps like time, but has no unit",
                where,
                f"Set its unit with --set data.units.time=ms (s, ms, us or ns). {_COLUMNS}",
            )
    return [replace(role, kind="time") if i == time else role for i, role in enumerate(roles)]


def _grows(column: table.Column) -> bool:
    if isinstance(column, list) or len(column) <= _FEWEST_TIMED_ROWS:
        return False
    steps = np.diff(column)
    usual = float(np.median(steps))
    return usual > 0 and bool((np.abs(steps - usual) <= usual / 2).mean() > _STEADY_SHARE)


def _joined_time(
    roles: Sequence[Role], found: table.Table, time: int, where: str
) -> NDArray[np.float64] | None:
    """Seconds [n] of whole ones in one column and what follows their point in another (`sec`, `usec`).

    None where the time does not fall just where another column of time grows.
    """
    fine = found.columns[time]
    if isinstance(fine, list):
        return None
    falls = np.diff(fine) < 0
    for i, role in enumerate(roles):
        coarse = found.columns[i]
        if role.kind != "time" or i == time or not falls.any():
            continue
        whole = moments_of(coarse, found.lines, where) / 1e9 if isinstance(coarse, list) else coarse
        if ((np.diff(whole) > 0) == falls).all():
            unit = roles[time].unit or next(unit for unit in _PARTS if fine.max() * SECONDS[unit] < 1)
            joined: NDArray[np.float64] = whole + fine * SECONDS[unit]
            return joined
    return None


def _check_no_steps(roles: Sequence[Role], names: Sequence[str], where: str) -> None:
    for role, name in zip(roles, names, strict=True):
        if role.kind == "step":
            raise TinymlError(
                f"Column `{name}` holds the time since the previous row, and no column the time",
                where,
                "Add a column time_s with its sum, or give the rate of even steps: --set data.rate_hz=100",
            )


def _check_one_sensor(
    roles: list[Role], found: table.Table, names: list[str], clock: Clock | None, where: str
) -> None:
    """Rows of several sensors in turn (`acc,0,…`, `gyro,0,…`) are no series.

    Raises:
        TinymlError: there are such rows.
    """
    for i, role in enumerate(roles):
        if role.kind != "other" or role.axis:
            continue
        kinds, codes = np.unique(np.asarray(found.columns[i]), return_inverse=True)
        changes = np.diff(codes) != 0
        if not 2 <= len(kinds) <= _MOST_KINDS or changes.mean() < _IN_TURN:
            continue
        together = np.zeros(len(changes), bool) if clock is None else np.diff(clock.seconds) == 0
        if _is_text(found, i) or (together.mean() >= _IN_TURN and bool(changes[together].all())):
            raise TinymlError(
                f"The table mixes rows of several sensors: `{names[i]}` is "
                f"{', '.join(str(kind) for kind in kinds[:4])} in turn",
                where,
                "Write one table per sensor, or one row per moment.",
            )


def _is_text(found: table.Table, index: int) -> bool:
    return isinstance(found.columns[index], list)


def _is_date(found: table.Table, index: int) -> bool:
    column = found.columns[index]
    return isinstance(column, list) and bool(column) and table.DATE.fullmatch(column[0]) is not None


def _checked(role: Role, found: table.Table, index: int, names: list[str], where: str) -> Role:
    """A column that counts rows is no channel, and text is no measurement.

    Raises:
        TinymlError: a sensor's column of text.
    """
    column = found.columns[index]
    if isinstance(column, list):
        if role.kind in ("acceleration", "rotation"):
            raise table.no_number(where, found, index, names[index])
        return role if role.kind in ("label", "time") else Role("other")
    counts = len(column) > 1 and bool((np.diff(column) == 1).all())
    return Role("derived") if counts and is_index(names[index]) and role.kind == "other" else role


def _time_column(roles: Sequence[Role], found: table.Table) -> int | None:
    """The column of time: of several the one with most different values, numbers before dates."""
    candidates = [i for i, role in enumerate(roles) if role.kind == "time"]
    candidates = [
        i for i in candidates if not _is_text(found, i) or table.DATE.fullmatch(found.columns[i][0])
    ]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return max(
        candidates,
        key=lambda i: (len(set(np.asarray(found.columns[i]).tolist())), not _is_text(found, i), -i),
    )


def _labels(roles: Sequence[Role], found: table.Table) -> list[str] | None:
    index = next((i for i, role in enumerate(roles) if role.kind == "label"), None)
    if index is None:
        return None
    column = found.columns[index]
    return column if isinstance(column, list) else [f"{value:g}" for value in column]


def _without_header(found: table.Table, where: str, motion: bool) -> list[str]:
    width = len(found.columns)
    if width == 1:
        return ["value"]
    times = int(width in (4, 7) and _rises(found.columns[0]))
    if width - times in (3, 6) and not any(_is_text(found, i) for i in range(width)):
        axes = [f"{kind}{axis}" for kind in ("a", "g") for axis in "XYZ"]
        names = ["time"] * times + axes[: width - times]
        felt = np.stack([np.asarray(column) for column in found.columns[times : times + 3]], axis=1)
        if motion or settle.feels_gravity(felt):
            return names
    if width > MOST_CHANNELS:
        raise TinymlError(
            "The table has no header and, it seems, a window in each line",
            where,
            "`tinyml train anomaly --data FOLDER` reads such tables as they are: a label, then the samples.",
        )
    raise TinymlError("The file has no header", where, _HEADER)


def _rises(column: table.Column) -> bool:
    if isinstance(column, list):
        return False
    steps = np.diff(column)
    return (
        len(steps) >= _FEWEST_TIMED_ROWS and bool((steps >= 0).mean() > 0.9) and float(np.median(steps)) > 0
    )


def _with_gravity(raw: Raw) -> Raw:
    """With gravity added to an acceleration that lacks it, as Core Motion and Android part the two."""
    forces, pull = raw.columns("acceleration"), raw.columns("gravity")
    if len(forces) != len(AXES) or len(pull) != len(AXES):
        return raw
    unit, other = raw.roles[forces[0]].unit, raw.roles[pull[0]].unit
    known = unit == other or {unit, other} <= set(ACCELERATION_G)
    lacks = raw.is_linear or settle.lacks_gravity([raw.values[:, forces]], ACCELERATION_G.get(unit, 1.0))
    if not known or not lacks:
        return raw
    values = raw.values.copy()
    scale = 1.0 if unit == other else ACCELERATION_G[other] / ACCELERATION_G[unit]
    values[:, forces] += values[:, pull] * scale
    kept = [i for i in range(len(raw.names)) if i not in pull]
    roles = [replace(role, linear=False) if i in forces else role for i, role in enumerate(raw.roles)]
    return replace(
        raw,
        names=[raw.names[i] for i in kept],
        roles=[roles[i] for i in kept],
        values=values[:, kept],
        remarks=[*raw.remarks, "gravity added to the acceleration without it"],
    )


def _join(first: Raw, second: Raw) -> Raw:
    """Acceleration and rotation of two files, the rotation as it was at the times of the acceleration."""
    if first.clock is None or second.clock is None or first.clock.cuts or second.clock.cuts:
        raise TinymlError(
            "The files of the accelerometer and the gyroscope do not overlap in time",
            first.where,
            "Export them with a time column.",
        )
    mine, theirs = first.clock.seconds, second.clock.seconds
    absolute = first.clock.unit == second.clock.unit
    offset = second.clock.start_s - first.clock.start_s if absolute else 0.0
    theirs = theirs + offset
    within = (mine >= theirs[0]) & (mine <= theirs[-1])
    if within.sum() < 2:
        raise TinymlError(
            "The accelerometer and the gyroscope were recorded at different times",
            first.where,
            "Check the files.",
        )
    steps = np.diff(theirs)
    hole = np.flatnonzero(steps > 5 * np.median(steps))
    for index in hole:
        within &= ~((mine > theirs[index]) & (mine < theirs[index + 1]))
    turned = np.stack([np.interp(mine[within], theirs, column) for column in second.values.T], axis=1)
    clock = replace(first.clock, seconds=mine[within])
    return replace(
        first,
        names=first.names + second.names,
        roles=first.roles + second.roles,
        values=np.concatenate([first.values[within], turned], axis=1),
        labels=None if first.labels is None else [first.labels[i] for i in np.flatnonzero(within)],
        clock=clock,
        remarks=first.remarks + second.remarks,
    )
