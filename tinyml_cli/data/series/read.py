"""The reader of sensor series: files of any tool in, even steps in known units out."""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series import settle, table
from tinyml_cli.data.series.acquisition import SUFFIXES as ACQUISITIONS
from tinyml_cli.data.series.acquisition import Acquisition, read_acquisition
from tinyml_cli.data.series.clock import Clock, read_clock
from tinyml_cli.data.series.columns import Role, choose, is_index, role_of
from tinyml_cli.data.series.even import Evened, even
from tinyml_cli.data.series.reading import Reading
from tinyml_cli.data.series.settle import Unit, Values
from tinyml_cli.data.series.sources import ARCHIVE, TABLES, Part, Source
from tinyml_cli.data.series.units import ACCELERATION_G, ROTATION_DPS, SECONDS, canonical
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe

SUFFIXES = (*TABLES, *ACQUISITIONS, ARCHIVE)
BOARD_CHANNELS = ("ax_mg", "ay_mg", "az_mg", "gx_ddps", "gy_ddps", "gz_ddps")
"""What boards send: acceleration in g / 1000, rotation in tenths of a degree per second."""

_AXES = "xyz"
_LARGEST = 1e15
_FEWEST_TIMED_ROWS = 5
# A column that only one app writes -> the units that it writes the others in.
_APPS = {
    "seconds_elapsed": {"acceleration": "m/s2", "rotation": "rad/s"},  # Sensor Logger
    "gFx": {"acceleration": "g", "rotation": "rad/s"},  # Physics Toolbox
}
_HEADER = "Name the columns in the first line (for example: time_s,ax,ay,az), or with --set data.columns=[…]"


@dataclass(frozen=True)
class Stretch:
    """Samples in even steps, without a gap, all of one condition.

    Attributes:
        values: float64 [n, channels]; acceleration in g and rotation in degrees a second, all else as it was.
        condition: from a column of labels; None where there is none.
    """

    values: Values
    condition: str | None


@dataclass(frozen=True)
class Series:
    """One recording.

    Attributes:
        source: where it comes from.
        channels: names of the columns.
        axes: (acceleration or rotation, axis) -> column.
        stretches: in order.
        rate_hz: None where neither the file nor anybody says it.
        reading: what was understood.
        units: `accel` and `gyro` -> unit of the file, as the options of the recipe name it.
    """

    source: Source
    channels: tuple[str, ...]
    axes: dict[tuple[str, str], int]
    stretches: tuple[Stretch, ...]
    rate_hz: float | None
    reading: Reading
    units: dict[str, str]

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def is_motion(self) -> bool:
        """Whether it holds acceleration of three axes in a known unit."""
        return all(("acceleration", axis) in self.axes for axis in _AXES) and self.reading.acceleration != ""

    @property
    def is_only_motion(self) -> bool:
        """Whether it holds nothing else but rotation, of three axes or none."""
        rotation = sum(("rotation", axis) in self.axes for axis in _AXES)
        return self.is_motion and rotation in (0, 3) and len(self.axes) == len(self.channels)

    def motion(self, stretch: Stretch, axes: int = 6) -> NDArray[np.int16]:
        """int16 [n, axes] in the units of BOARD_CHANNELS; a rotation that is not there is 0."""
        whole = np.zeros((len(stretch.values), axes))
        kinds = itertools.product(("acceleration", "rotation"), _AXES)
        for channel, key in enumerate(itertools.islice(kinds, axes)):
            if key in self.axes:
                whole[:, channel] = stretch.values[:, self.axes[key]] * (1000.0 if channel < 3 else 10.0)
        clipped: NDArray[np.int16] = np.clip(np.rint(whole), -32768, 32767).astype(np.int16)
        return clipped


@dataclass
class _Raw:
    """One recording as it stands in its file."""

    source: Source
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

    def columns(self, kind: str) -> list[int]:
        found = choose(self.roles, kind)  # type: ignore[arg-type]
        return [found[axis] for axis in _AXES if axis in found]


def read_series(
    found: Sequence[Source],
    options: SeriesRecipe,
    rate_hz: float | None = None,
    motion: bool = False,
    assumed: Mapping[str, str] | None = None,
    refused: dict[Path, TinymlError] | None = None,
) -> list[Series]:
    """Reads recordings that belong together: files with the same columns have the same units.

    Args:
        found: what to read.
        options: what the user says about the files.
        rate_hz: of files without a time column.
        motion: whether columns x, y, z must be acceleration, and an unknown unit of it an error.
        assumed: `accel` and `gyro` -> unit that the user's other files have, for files that do not tell.
        refused: collects what is wrong with single files, which are then left out.

    Raises:
        TinymlError: a file that cannot be read, or of which two readings are possible.
    """
    raws = []
    for source in found:
        with _collecting(refused, source):
            raws.append(_read(source, options, motion))
    kinds: dict[tuple[tuple[str, str, str], ...], list[_Raw]] = defaultdict(list)
    for raw in raws:
        chosen = raw.columns("acceleration") + raw.columns("rotation")
        kinds[tuple((raw.names[i], raw.roles[i].unit, raw.roles[i].family) for i in chosen)].append(raw)
    result = {}
    for same in kinds.values():
        felt, turned = _units(same, options, motion, assumed or {})
        for raw in same:
            with _collecting(refused, raw.source):
                result[id(raw)] = _series(raw, felt, turned, options.rate_hz or rate_hz)
    return [result[id(raw)] for raw in raws if id(raw) in result]


@contextlib.contextmanager
def _collecting(refused: dict[Path, TinymlError] | None, source: Source) -> Iterator[None]:
    try:
        yield
    except TinymlError as error:
        if refused is None:
            raise
        refused[source.path] = error


def _units(
    same: list[_Raw], options: SeriesRecipe, motion: bool, assumed: Mapping[str, str]
) -> tuple[Unit | None, Unit | None]:
    """Units of acceleration and rotation of recordings with the same columns; None where they have none."""
    first = same[0]
    where, units = first.where, options.units
    forces, rates = first.columns("acceleration"), first.columns("rotation")
    felt = turned = None
    if forces:
        roles = [first.roles[i] for i in forces]
        said = settle.given(units.accel, ACCELERATION_G, "data.units.accel", "g")
        declared = {role.unit for role in roles}
        try:
            parts = [raw.values[:, raw.columns("acceleration")] for raw in same]
            felt = settle.acceleration(parts, declared, roles[0].linear, where, said)
        except TinymlError:
            felt = settle.given(assumed.get("accel"), ACCELERATION_G, "manifest.json", "g")
            if declared - {"", "counts"} or (felt is None and motion):
                raise
            if felt is None:
                return None, None  # vibration without gravity is judged in the file's own unit
    if rates:
        parts = [raw.values[:, raw.columns("rotation")] for raw in same]
        said = settle.given(units.gyro, ROTATION_DPS, "data.units.gyro", "deg/s")
        scale = felt.scale if felt is not None and felt.scale is not None else 1.0
        beside = [(raw.values[:, forces] * scale, raw.rate_hz or _usual_rate(raw.clock)) for raw in same]
        declared = {first.roles[i].unit for i in rates}
        names = [first.names[i] for i in forces + rates]
        try:
            turned = settle.rotation(parts, declared, names, felt or Unit("", None), beside, where, said)
        except TinymlError:
            turned = settle.given(assumed.get("gyro"), ROTATION_DPS, "manifest.json", "deg/s")
            if declared - {"", "counts"} or turned is None:
                raise
    return felt, turned


def _usual_rate(clock: Clock | None) -> float | None:
    if clock is None:
        return None
    steps = np.diff(clock.seconds)
    return 1.0 / float(np.median(steps[steps > 0]))


def _series(raw: _Raw, felt: Unit | None, turned: Unit | None, rate_hz: float | None) -> Series:
    chosen = {
        (kind, axis): column
        for kind, unit in (("acceleration", felt), ("rotation", turned))
        if unit is not None
        for axis, column in choose(raw.roles, kind).items()  # type: ignore[arg-type]
    }
    kept = [
        i
        for i, role in enumerate(raw.roles)
        if role.kind in ("acceleration", "rotation", "other") or (role.kind == "derived" and not chosen)
    ]
    values = raw.values[:, kept].copy()
    axes = {key: kept.index(column) for key, column in chosen.items()}
    for (kind, _), column in axes.items():
        unit = felt if kind == "acceleration" else turned
        assert unit is not None
        values[:, column] *= 1.0 if unit.scale is None else unit.scale
    if not kept:
        raise TinymlError("The file has no column of samples", raw.where, "Add one beside time and label.")
    stretches, evened = _stretches(raw, values)
    rate = evened.rate_hz if evened is not None else raw.rate_hz or rate_hz
    reading = _reading(raw, felt, turned, evened, rate)
    names = tuple(raw.names[i] for i in kept)
    units = {name: unit.option for name, unit in (("accel", felt), ("gyro", turned)) if unit is not None}
    return Series(raw.source, names, axes, stretches, rate, reading, units)


def common_units(found: Sequence[Series]) -> dict[str, str]:
    """`accel` and `gyro` -> the unit that all files have; those that differ are left out."""
    units = [each.units for each in found]
    return {
        name: units[0][name] for name in units[0] if all(each.get(name) == units[0][name] for each in units)
    }


def _stretches(raw: _Raw, values: Values) -> tuple[tuple[Stretch, ...], Evened | None]:
    cuts = set(raw.cuts)
    if raw.labels is not None:
        cuts |= {i for i in range(1, len(raw.labels)) if raw.labels[i] != raw.labels[i - 1]}
    if raw.clock is None:
        edges = itertools.pairwise([0, *sorted(cuts), len(values)])
        pieces = [(a, values[a:b]) for a, b in edges if b > a]
        evened = None
    else:
        evened = even(raw.clock.seconds, values, sorted(cuts | set(raw.clock.cuts)))
        pieces = evened.pieces if evened is not None else []
    if not pieces:
        raise TinymlError("The file holds no two samples in a row", raw.where, "Remove it, or record again.")
    labels = raw.labels
    return tuple(Stretch(piece, None if labels is None else labels[row]) for row, piece in pieces), evened


def _reading(
    raw: _Raw, felt: Unit | None, turned: Unit | None, evened: Evened | None, rate_hz: float | None
) -> Reading:
    kinds = {role.kind for role in raw.roles}
    own = "acceleration" in kinds and felt is None
    reading = Reading(
        files=1,
        rate_hz=rate_hz,
        time="" if raw.clock is None else raw.clock.unit,
        paced=raw.rate_hz is not None,
        acceleration="" if felt is None else felt.name,
        rotation="" if turned is None else turned.name,
        own_units=own,
        no_rotation=felt is not None and turned is None,
        remarks=list(raw.remarks),
    )
    forces = raw.columns("acceleration")
    if forces and raw.roles[forces[0]].linear:
        reading.remarks.append("acceleration without gravity")
    if raw.clock is not None and evened is not None:
        reading = replace(
            reading,
            gaps=evened.gaps,
            repeats=evened.repeats,
            restarts=len(raw.clock.cuts),
            wraps=raw.clock.wraps,
            short=evened.short,
            bursts=int(evened.bursts),
            resampled=int(evened.resampled),
        )
    return reading


def _read(source: Source, options: SeriesRecipe, motion: bool) -> _Raw:
    if source.path.suffix.lower() in ACQUISITIONS:
        raw = of_acquisition(source, read_acquisition(source.path))
    else:
        raws = [_read_table(source, part, options, motion) for part in source.parts]
        raw = raws[0] if len(raws) == 1 else _join(raws)
    if np.abs(raw.values).max(initial=0.0) > _LARGEST:
        raise TinymlError(
            f"The file holds values beyond {_LARGEST:g}, which no sensor measures",
            raw.where,
            "Mend or remove it.",
        )
    return raw


def of_acquisition(source: Source, recording: Acquisition) -> _Raw:
    """A recording of Edge Impulse's."""
    names = [name for name, _ in recording.sensors]
    roles = [role_of(name, unit or None) for name, unit in recording.sensors]
    for role, (name, unit) in zip(roles, recording.sensors, strict=True):
        if canonical(unit) is None and role.kind in ("acceleration", "rotation"):
            raise TinymlError(
                f"`{name}` is in `{unit}`",
                str(source.path),
                f"Known: {', '.join((*ACCELERATION_G, *ROTATION_DPS))}.",
            )
    return _Raw(source, names, roles, recording.values, rate_hz=1000.0 / recording.interval_ms)


def _read_table(source: Source, part: Part, options: SeriesRecipe, motion: bool) -> _Raw:
    mark = {"comma": ",", "dot": "."}.get(options.decimal or "")
    found = table.parse(part.text(), part.where, mark)
    names = found.names or _without_header(found, options.columns, part.where, motion)
    sensor = {"linear": "acceleration"}.get(part.sensor, part.sensor) or ("acceleration" if motion else "")
    roles = [role_of(name, unit or None, sensor) for name, unit in zip(names, found.units, strict=True)]
    if part.sensor == "linear":
        roles = [replace(role, linear=True) if role.kind == "acceleration" else role for role in roles]
    own = next((units for name, units in _APPS.items() if name in names), {})
    roles = [replace(role, unit=role.unit or own.get(role.kind, "")) for role in roles]
    if not any(role.kind == "time" for role in roles):  # `Zeit (s)`: the unit says it in any language
        first = next(
            (i for i, role in enumerate(roles) if role.kind == "other" and role.unit in SECONDS), None
        )
        roles = [replace(role, kind="time") if i == first else role for i, role in enumerate(roles)]
    roles = [Role("time") if _is_date(found, i, names) else role for i, role in enumerate(roles)]
    roles = [_checked(role, found, i, names) for i, role in enumerate(roles)]
    time = _time_column(roles, found)
    moved = any(role.kind in ("acceleration", "rotation") for role in roles)
    clock = None
    if time is not None:
        unit = options.units.time or roles[time].unit
        clock = read_clock(found.columns[time], names[time], unit, moved, found.cuts, found.lines, part.where)
    elif options.rate_hz is None:
        _refuse_unread_time(roles, found, names, part.where)
    kept = [
        i for i, role in enumerate(roles) if role.kind not in ("time", "label") and not _is_text(found, i)
    ]
    dropped = [
        names[i]
        for i, role in enumerate(roles)
        if role.kind in ("other", "time") and _is_text(found, i) and not _is_date(found, i, names)
    ]
    remarks = found.remarks + ([f"text in {', '.join(dropped)} left out"] if dropped else [])
    values = (
        np.stack([np.asarray(found.columns[i]) for i in kept], axis=1) if kept else np.empty((len(found), 0))
    )
    return _Raw(
        source,
        [names[i] for i in kept],
        [roles[i] for i in kept],
        values,
        _labels(roles, found),
        clock,
        found.cuts,
        remarks=remarks,
    )


def _is_text(found: table.Table, index: int) -> bool:
    return isinstance(found.columns[index], list)


def _is_date(found: table.Table, index: int, names: list[str]) -> bool:
    column = found.columns[index]
    return isinstance(column, list) and bool(column) and table.DATE.fullmatch(column[0]) is not None


def _checked(role: Role, found: table.Table, index: int, names: list[str]) -> Role:
    """A column that counts rows is no channel, and text is no measurement."""
    column = found.columns[index]
    if isinstance(column, list):
        return role if role.kind in ("label", "time") else Role("other")
    counts = len(column) > 1 and bool((np.diff(column) == 1).all())
    return Role("derived") if counts and is_index(names[index]) and role.kind == "other" else role


def _refuse_unread_time(roles: Sequence[Role], found: table.Table, names: list[str], where: str) -> None:
    """A clock that nobody can read is no reason to take another rate than the file's."""
    for role, name, column in zip(roles, names, found.columns, strict=True):
        if role.kind == "time" and isinstance(column, list) and len(set(column)) > 1:
            raise TinymlError(
                f"`{column[0][:40]}` in column `{name}` cannot be read as a time",
                f"{where} line {found.lines[0]}",
                "Write numbers, ISO 8601 or DD.MM.YYYY hh:mm:ss, or say the rate: --set data.rate_hz=100",
            )


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


def _without_header(found: table.Table, given: list[str] | None, where: str, motion: bool) -> list[str]:
    """Names for the columns of a file that names none: the user's, or those that three or six axes have.

    Raises:
        TinymlError: it cannot be said what the columns hold.
    """
    width = len(found.columns)
    if given is not None:
        if len(given) != width:
            raise TinymlError(
                f"data.columns names {len(given)} columns, the file has {width}", where, "Name every column."
            )
        return list(given)
    if width == 1:
        return ["value"]
    times = int(width in (4, 7) and _may_be_time(found.columns[0]))
    if width - times in (3, 6) and not any(_is_text(found, i) for i in range(width)):
        axes = [f"{kind}{axis}" for kind in ("a", "g") for axis in "XYZ"]
        names = ["time"] * times + axes[: width - times]
        felt = np.stack([np.asarray(column) for column in found.columns[times : times + 3]], axis=1)
        if motion or settle.feels_gravity(felt):
            return names
    raise TinymlError("The file has no header", where, _HEADER)


def _may_be_time(column: table.Column) -> bool:
    if isinstance(column, list):
        return False
    steps = np.diff(column)
    return (
        len(steps) >= _FEWEST_TIMED_ROWS and bool((steps >= 0).mean() > 0.9) and float(np.median(steps)) > 0
    )


def _join(raws: list[_Raw]) -> _Raw:
    """Acceleration and rotation of two files, the rotation as it was at the times of the acceleration."""
    first, second = raws
    if first.clock is None or second.clock is None or first.clock.cuts or second.clock.cuts:
        raise TinymlError(
            "The files of the accelerometer and the gyroscope have no time in common",
            first.where,
            "Export them with a column of time.",
        )
    mine, theirs = first.clock.seconds, second.clock.seconds
    absolute = first.clock.unit == second.clock.unit
    offset = second.clock.start_s - first.clock.start_s if absolute else 0.0
    theirs = theirs + offset
    within = (mine >= theirs[0]) & (mine <= theirs[-1])
    if within.sum() < 2:
        raise TinymlError(
            "The accelerometer and the gyroscope were not recorded at the same time",
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
