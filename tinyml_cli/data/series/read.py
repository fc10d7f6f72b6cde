"""The reader of sensor series: files of any tool in, even steps in known units out."""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series import gravity, settle
from tinyml_cli.data.series.acquisition import SUFFIXES as ACQUISITIONS
from tinyml_cli.data.series.clock import Clock
from tinyml_cli.data.series.columns import AXES, Role, choose
from tinyml_cli.data.series.even import Evened, even
from tinyml_cli.data.series.gravity import Values
from tinyml_cli.data.series.raw import Raw, read_raw
from tinyml_cli.data.series.reading import Reading
from tinyml_cli.data.series.sources import ARCHIVE, SeriesSource
from tinyml_cli.data.series.table import TABLES
from tinyml_cli.data.series.units import ACCELERATION_G, ROTATION_DPS, Unit
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.wording import counted

SUFFIXES = (*TABLES, *ACQUISITIONS, ARCHIVE)
BOARD_CHANNELS = ("ax_mg", "ay_mg", "az_mg", "gx_ddps", "gy_ddps", "gz_ddps")
"""What boards send: acceleration in g / 1000, rotation in tenths of a degree per second."""

# Of rows in bursts: the first and the last burst may be cut.
_FEWEST_TIMES = 5


@dataclass(frozen=True)
class Stretch:
    """Samples in even steps, without a gap, all of one condition.

    Attributes:
        values: float64 [n, channels]; acceleration in g, rotation in degrees per second, all else unchanged.
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
        rate_hz: None if neither the file nor the user gives it.
        reading: what was understood.
        units: `accel` and `gyro` -> unit of the file, as the options of the recipe name it.
        has_gravity: whether an accelerometer felt it; names say where it is taken out.
    """

    source: SeriesSource
    channels: tuple[str, ...]
    axes: dict[tuple[str, str], int]
    stretches: tuple[Stretch, ...]
    rate_hz: float | None
    reading: Reading
    units: dict[str, str]
    has_gravity: bool = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def is_motion(self) -> bool:
        """Whether it holds acceleration of three axes in a known unit."""
        return all(("acceleration", axis) in self.axes for axis in AXES) and self.reading.acceleration != ""

    @property
    def is_only_motion(self) -> bool:
        """Whether it holds nothing else, except a rotation of three axes."""
        rotation = sum(("rotation", axis) in self.axes for axis in AXES)
        return self.is_motion and rotation in (0, 3) and len(self.axes) == len(self.channels)

    def motion(self, stretch: Stretch, axes: int = 6) -> NDArray[np.int16]:
        """int16 [n, axes] in the units of BOARD_CHANNELS; a rotation that is not there is 0."""
        whole = np.zeros((len(stretch.values), axes))
        kinds = itertools.product(("acceleration", "rotation"), AXES)
        for channel, key in enumerate(itertools.islice(kinds, axes)):
            if key in self.axes:
                whole[:, channel] = stretch.values[:, self.axes[key]] * (1000.0 if channel < 3 else 10.0)
        clipped: NDArray[np.int16] = np.clip(np.rint(whole), -32768, 32767).astype(np.int16)
        return clipped


def read_series(
    found: Sequence[SeriesSource],
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
        with collecting(refused, source.path):
            raws.append(read_raw(source, options, motion))
    kinds: dict[tuple[tuple[str, str, str], ...], list[Raw]] = defaultdict(list)
    for raw in raws:
        chosen = raw.columns("acceleration") + raw.columns("rotation")
        kinds[tuple((raw.names[i], raw.roles[i].unit, raw.roles[i].family) for i in chosen)].append(raw)
    result = {}
    for same in kinds.values():
        felt, turned = _units(same, options, motion, assumed or {})
        linear = _is_linear(same, felt)
        for raw in same:
            with collecting(refused, raw.source.path):
                if felt is not None and options.units.accel is None and len(same) > 1:
                    _check_alike(raw, felt, same)
                result[id(raw)] = _series(raw, felt, turned, options.rate_hz or rate_hz, linear)
    return [result[id(raw)] for raw in raws if id(raw) in result]


@contextlib.contextmanager
def collecting(refused: dict[Path, TinymlError] | None, path: Path) -> Iterator[None]:
    """Collects the error of a single file in `refused`; raises it if that is None."""
    try:
        yield
    except TinymlError as error:
        if refused is None:
            raise
        refused[path] = error


def _units(
    same: list[Raw], options: SeriesRecipe, motion: bool, assumed: Mapping[str, str]
) -> tuple[Unit | None, Unit | None]:
    """Units of acceleration and rotation of recordings with the same columns; None where they have none."""
    first = same[0]
    where, units = first.where, options.units
    forces, rates = first.columns("acceleration"), first.columns("rotation")
    felt = turned = None
    if forces:
        roles = [first.roles[i] for i in forces]
        if units.accel == settle.OWN:
            return None, None
        said = settle.given(units.accel, ACCELERATION_G, "data.units.accel", "g")
        declared = {role.unit for role in roles}
        names = [first.names[i] for i in forces]
        try:
            parts = [raw.values[:, raw.columns("acceleration")] for raw in same]
            felt = settle.acceleration(parts, declared, names, roles[0].linear, where, said)
        except TinymlError:
            if assumed.get("accel") == settle.OWN and not declared - {"", "counts"}:
                return None, None
            felt = settle.given(assumed.get("accel"), ACCELERATION_G, "manifest.json", "g")
            fits = felt is not None and settle.acceleration_fits(parts, felt, roles[0].linear)
            if declared - {"", "counts"} or felt is None or not fits:
                raise
            felt = replace(felt, assumed=True)
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
            if declared - {"", "counts"} or turned is None or not settle.rotation_fits(parts, turned):
                raise
            turned = replace(turned, assumed=True)
    return felt, turned


def _check_alike(raw: Raw, felt: Unit, same: list[Raw]) -> None:
    forces = raw.columns("acceleration")
    if not raw.is_linear:
        other = next(each for each in same if each is not raw)
        settle.check_alike(raw.values[:, forces], felt, raw.where, other.where)


def _usual_rate(clock: Clock | None) -> float | None:
    if clock is None:
        return None
    steps = np.diff(clock.seconds)
    grown = steps[steps > 0]
    return len(steps) / len(grown) / float(np.median(grown))  # rows of one burst share a time


def _is_linear(same: list[Raw], felt: Unit | None) -> bool:
    """Whether gravity is taken out of the accelerations of one kind of file, as names or values say."""
    if felt is None or felt.scale is None or same[0].is_linear:
        return same[0].is_linear
    return gravity.lacks_gravity([raw.values[:, raw.columns("acceleration")] for raw in same], felt.scale)


def _series(raw: Raw, felt: Unit | None, turned: Unit | None, rate_hz: float | None, linear: bool) -> Series:
    chosen = {
        (kind, axis): column
        for kind, unit in (("acceleration", felt), ("rotation", turned))
        if unit is not None
        for axis, column in choose(raw.roles, kind).items()  # type: ignore[arg-type]
    }
    kept = [
        i
        for i, role in enumerate(raw.roles)
        if role.kind in ("acceleration", "gravity", "rotation", "other")
        or (role.kind == "derived" and not chosen)
    ]
    values = raw.values[:, kept].copy()
    axes = {key: kept.index(column) for key, column in chosen.items()}
    for (kind, _), column in axes.items():
        unit = felt if kind == "acceleration" else turned
        assert unit is not None
        values[:, column] *= 1.0 if unit.scale is None else unit.scale
    _convert_rest(values, [raw.roles[i] for i in kept], axes, felt, turned)
    if not kept:
        raise TinymlError("The file has no sample column", raw.where, "Add one next to time and label.")
    stretches, evened = _stretches(raw, values)
    rate = evened.rate_hz if evened is not None else raw.rate_hz or rate_hz
    reading = _reading(raw, felt, turned, evened, rate)
    told = {"acceleration"} if reading.own_units else {kind for kind, _ in axes}
    reading = replace(reading, others=tuple(raw.names[i] for i in kept if raw.roles[i].kind not in told))
    if _has_names_of_course(raw) and turned is not None and not turned.told:
        advice = "data.units.gyro=arduino-lsm9ds1 corrects it"
        reading.remarks.append(f"rotation by Arduino_LSM9DS1 would be 12.8 % too little: {advice}")
    if linear:
        reading.remarks.append("acceleration without gravity, unlike the board's sensor")
    names = tuple(raw.names[i] for i in kept)
    units = {name: unit.option for name, unit in (("accel", felt), ("gyro", turned)) if unit is not None}
    if reading.own_units:
        units["accel"] = settle.OWN
    return Series(raw.source, names, axes, stretches, rate, reading, units, not linear)


def _has_names_of_course(raw: Raw) -> bool:
    """Whether the columns are those of the course's sketch, most of all for the first Nano 33 BLE Sense."""
    return tuple(raw.names[i] for i in raw.columns("acceleration") + raw.columns("rotation")) == settle.COURSE


def _convert_rest(
    values: Values,
    roles: Sequence[Role],
    axes: Mapping[tuple[str, str], int],
    felt: Unit | None,
    turned: Unit | None,
) -> None:
    """Converts a file's other sensors of the same kinds as `axes`, by their own units or else by the same."""
    done = set(axes.values())
    for column, role in enumerate(roles):
        unit, table = (turned, ROTATION_DPS) if role.kind == "rotation" else (felt, ACCELERATION_G)
        if column in done or role.kind not in ("acceleration", "gravity", "rotation") or unit is None:
            continue
        if unit.scale is not None:
            values[:, column] *= table.get(role.unit, unit.scale)


def common_units(found: Sequence[Series]) -> dict[str, str]:
    """`accel` and `gyro` -> the unit that all files have; those that differ are left out."""
    units = [each.units for each in found]
    return {
        name: units[0][name] for name in units[0] if all(each.get(name) == units[0][name] for each in units)
    }


def _stretches(raw: Raw, values: Values) -> tuple[tuple[Stretch, ...], Evened | None]:
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
        if evened is not None and evened.bursts and len(np.unique(raw.clock.seconds)) < _FEWEST_TIMES:
            raise TinymlError(
                f"{counted(len(values), 'row')} share "
                f"{counted(len(np.unique(raw.clock.seconds)), 'time')}, so the rate is unknown",
                raw.where,
                "Export the time with milliseconds, or record for longer.",
            )
    if not pieces:
        raise TinymlError(
            "The file contains no two consecutive samples", raw.where, "Remove it, or record again."
        )
    labels = raw.labels
    return tuple(Stretch(piece, None if labels is None else labels[row]) for row, piece in pieces), evened


def _reading(
    raw: Raw, felt: Unit | None, turned: Unit | None, evened: Evened | None, rate_hz: float | None
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
    if any(unit is not None and unit.assumed for unit in (felt, turned)):
        reading.remarks.append("units that the files do not give taken from the training data")
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
