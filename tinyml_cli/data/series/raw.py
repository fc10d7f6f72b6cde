"""One recording as in its files: columns by quantity, and the clock; units unchanged."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinyml_cli.data.series import gravity, table
from tinyml_cli.data.series.acquisition import SUFFIXES as ACQUISITIONS
from tinyml_cli.data.series.acquisition import Acquisition, read_acquisition
from tinyml_cli.data.series.clock import Clock, check_pace, read_clock
from tinyml_cli.data.series.columns import AXES, Kind, Role, choose, rivals
from tinyml_cli.data.series.gravity import Values
from tinyml_cli.data.series.roles import check_one_sensor, checked, roles_of
from tinyml_cli.data.series.sources import RecordedTable, SeriesSource
from tinyml_cli.data.series.time_column import (
    NAME_COLUMNS,
    check_no_steps,
    is_date,
    is_text,
    joined_time,
    rises,
    time_column,
    with_time,
)
from tinyml_cli.data.series.units import ACCELERATION_G, canonical
from tinyml_cli.data.series.windows import MOST_CHANNELS
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.wording import counted

_LARGEST = 1e15
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
    roles = roles_of(names, known, list(recording.values.T), "", motion)
    return Raw(source, list(names), roles, recording.values, rate_hz=1000.0 / recording.interval_ms)


def _read_table(source: SeriesSource, part: RecordedTable, options: SeriesRecipe, motion: bool) -> Raw:
    mark = {"comma": ",", "dot": "."}.get(options.decimal or "")
    found = table.parse(part.text(), part.where, mark)
    names = _names(found, options.columns, part.where, motion)
    roles = roles_of(names, found.units, found.columns, part.sensor, motion)
    roles = [Role("time") if is_date(found, i) else role for i, role in enumerate(roles)]
    roles = [checked(role, found, i, names, part.where) for i, role in enumerate(roles)]
    roles = with_time(roles, found, names, options, part.where)
    time = time_column(roles, found)
    if time is None and options.rate_hz is None:
        check_no_steps(roles, names, part.where)
    moved = any(role.kind in ("acceleration", "gravity", "rotation") for role in roles)
    clock = None
    if time is not None:
        unit, column = options.units.time or roles[time].unit, found.columns[time]
        if (joined := joined_time(roles, found, time, part.where)) is not None:
            unit, column = "s", joined
        clock = read_clock(column, names[time], unit, moved, found.cuts, found.lines, part.where)
        if moved and options.units.time is None:
            check_pace(clock, names[time], part.where)
    check_one_sensor(roles, found, names, clock, part.where)
    if motion and len(several := rivals(roles, "acceleration")) > 1:
        raise TinymlError(
            f"The file has several accelerometers: {', '.join(several)}",
            part.where,
            f"Keep one. {NAME_COLUMNS}",
        )
    kept = [
        i
        for i, role in enumerate(roles)
        if role.kind not in ("time", "step", "label") and not is_text(found, i)
    ]
    dropped = [
        names[i]
        for i, role in enumerate(roles)
        if role.kind in ("other", "time") and is_text(found, i) and not is_date(found, i)
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
    times = int(width in (4, 7) and rises(found.columns[0]))
    if width - times in (3, 6) and not any(is_text(found, i) for i in range(width)):
        axes = [f"{kind}{axis}" for kind in ("a", "g") for axis in "XYZ"]
        names = ["time"] * times + axes[: width - times]
        felt = np.stack([np.asarray(column) for column in found.columns[times : times + 3]], axis=1)
        if motion or gravity.feels_gravity(felt):
            return names
    if width > MOST_CHANNELS:
        raise TinymlError(
            "The table has no header and, it seems, a window in each line",
            where,
            "`tinyml train anomaly --data FOLDER` reads such tables as they are: a label, then the samples.",
        )
    raise TinymlError("The file has no header", where, _HEADER)


def _with_gravity(raw: Raw) -> Raw:
    """With gravity added to an acceleration that lacks it, as Core Motion and Android part the two."""
    forces, pull = raw.columns("acceleration"), raw.columns("gravity")
    if len(forces) != len(AXES) or len(pull) != len(AXES):
        return raw
    unit, other = raw.roles[forces[0]].unit, raw.roles[pull[0]].unit
    known = unit == other or {unit, other} <= set(ACCELERATION_G)
    lacks = raw.is_linear or gravity.lacks_gravity([raw.values[:, forces]], ACCELERATION_G.get(unit, 1.0))
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
