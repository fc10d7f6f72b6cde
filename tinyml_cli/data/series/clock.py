"""From a time column to seconds: its unit, counters that wrap, clocks that restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.dialect import DATE
from tinyml_cli.data.series.units import SECONDS
from tinyml_cli.errors import TinymlError

ISO = "ISO 8601"
DAY_FIRST = "DD.MM.YYYY"
_DATES = (ISO, DAY_FIRST)

# Periods of counters of 16 and 32 bits, and of 32 bits of microseconds that a sketch divided.
_WRAPS = (2.0**32, 2.0**16, 2.0**32 / 1e3, 2.0**32 / 1e6)
_DAY_NS = 86_400_000_000_000
# Usual rates of recorded motion, and possible ones.
_LIKELY_HZ, _POSSIBLE_HZ = (8.0, 4000.0), (0.9, 8000.0)
_SLOWEST_HZ, _FASTEST_HZ = 1e-4, 1e5
# The fastest accelerometers for vibration give 26.7 kHz.
_FASTEST_MOTION_HZ = 30_000.0
_EPOCH_S = (1e9, 4.2e9)  # 2001 to 2103
_SHEET_DAYS, _FASTEST_S_HZ = (36_500.0, 73_500.0), 17_000.0  # the same years in days; steps below 5 s as days


@dataclass(frozen=True)
class Clock:
    """When rows were measured.

    Attributes:
        seconds: float64 [n] after the first row, growing between cuts.
        start_s: of the first row, by the file's own clock.
        unit: of the column.
        cuts: rows at which the clock began anew.
        wraps: how often its counter ran over.
    """

    seconds: NDArray[np.float64]
    start_s: float
    unit: str
    cuts: list[int]
    wraps: int


def read_clock(
    column: NDArray[np.float64] | list[str],
    name: str,
    unit: str,
    motion: bool,
    cuts: Sequence[int],
    lines: Sequence[int],
    where: str,
) -> Clock:
    """Seconds of a column of time.

    Args:
        column: numbers, or dates as `DATE` has them.
        name: of the column.
        unit: of the numbers; empty where nobody says.
        motion: whether the file holds motion of a hand or a machine, which is recorded at 8 to 4000 Hz.
        cuts: rows before which a new take begins anyhow.
        lines: number of each row's line, for messages.
        where: the file, for messages.

    Raises:
        TinymlError: time that runs backwards or stands still, or whose unit cannot be told.
    """
    if isinstance(column, list):
        moments = moments_of(column, lines, where)
        start, raw = float(moments[0]) / 1e9, (moments - moments[0]) / 1e9
        first = DATE.fullmatch(column[0])
        unit = DAY_FIRST if first is not None and first["day_first"] else ISO
    else:
        start, raw = 0.0, column.astype(np.float64)
    free = np.ones(max(0, len(raw) - 1), bool)
    free[[cut - 1 for cut in cuts]] = False
    steps = np.diff(raw)
    forward = steps[free & (steps > 0)]
    if not len(forward):
        raise TinymlError(
            f"Time does not increase in column `{name}`",
            where,
            "Check that it contains the time, and record again.",
        )
    usual = float(np.median(forward))
    raw, wrapped = _unwrap(raw, usual, free, (_DAY_NS / 1e9,) if unit in _DATES else _WRAPS)
    restarts = _restarts(raw, usual, free, lines, where)
    if unit in _DATES:
        return Clock(raw, start, unit, restarts, wrapped)
    if not unit:  # of rows that came in bursts, several share a time
        unit = _infer(raw, usual * len(forward) / max(1, int(free.sum())), name, motion, where)
    return Clock((raw - raw[0]) * SECONDS[unit], float(raw[0]) * SECONDS[unit], unit, restarts, wrapped)


def check_pace(clock: Clock, name: str, where: str) -> None:
    """Refuses a unit, named by the time column, that makes motion faster than any sensor measures.

    Raises:
        TinymlError: it is such a unit.
    """
    steps = np.diff(clock.seconds)
    grown = steps[steps > 0]
    rate_hz = len(steps) / len(grown) / float(np.median(grown))  # rows of one burst share a time
    if rate_hz > _FASTEST_MOTION_HZ:
        slower = {"ms": "s", "us": "ms", "ns": "us"}.get(clock.unit, "ms")
        raise TinymlError(
            f"Column `{name}` gives the time in {clock.unit}, but no sensor measures motion "
            f"{rate_hz:,.0f} times a second",
            where,
            f"Set the unit with --set data.units.time={slower} (s, ms, us, ns), or correct the name.",
        )


def _unwrap(
    raw: NDArray[np.float64], usual: float, free: NDArray[np.bool_], periods: Sequence[float]
) -> tuple[NDArray[np.float64], int]:
    raw = raw.copy()
    wrapped = 0
    for index in np.flatnonzero((np.diff(raw) < 0) & free):
        step = raw[index + 1] - raw[index]
        period = next((p for p in periods if 0 <= step + p <= 50 * usual and -step > p / 2), None)
        if period is not None:
            raw[index + 1 :] += period
            wrapped += 1
    return raw, wrapped


def _restarts(
    raw: NDArray[np.float64], usual: float, free: NDArray[np.bool_], lines: Sequence[int], where: str
) -> list[int]:
    """Where the clock begins anew, as it does when a board is reset between takes."""
    found = []
    for index in np.flatnonzero((np.diff(raw) < 0) & free):
        new, before = raw[index + 1], raw[index]
        if new <= raw[0] + usual / 2 or 0 <= new <= 0.02 * before:
            found.append(int(index) + 1)
            continue
        raise TinymlError(
            "Time runs backwards",
            f"{where} line {lines[int(index) + 1]}",
            "Sort the rows, or split the file there.",
        )
    return found


def _infer(raw: NDArray[np.float64], usual: float, name: str, motion: bool, where: str) -> str:
    rates = {unit: 1.0 / (usual * SECONDS[unit]) for unit in ("s", "ms", "us", "ns")}
    since_epoch = [unit for unit in rates if _EPOCH_S[0] < raw[0] * SECONDS[unit] < _EPOCH_S[1]]
    dated = [unit for unit in since_epoch if _SLOWEST_HZ < rates[unit] < _LIKELY_HZ[1]]
    if len(dated) == 1:
        return dated[0]
    if _SHEET_DAYS[0] < raw[0] < _SHEET_DAYS[1] and rates["s"] > _FASTEST_S_HZ:
        return "d"  # what spreadsheets make of a date: days since 1899
    whole = bool((raw == np.rint(raw)).all())
    possible = [unit for unit, rate in rates.items() if _POSSIBLE_HZ[0] <= rate <= _POSSIBLE_HZ[1]]
    likely = [unit for unit in possible if _LIKELY_HZ[0] <= rates[unit] <= _LIKELY_HZ[1]]
    if motion and len(likely) == 1 and possible == likely:
        return likely[0]
    if name.strip().casefold() == "timestamp" and whole and "ms" in likely:
        return "ms"  # as Edge Impulse's format has it
    if not motion and usual < 1 and not whole:
        return "s"
    imaginable = [unit for unit, rate in rates.items() if _SLOWEST_HZ < rate < _FASTEST_HZ]
    if not whole and len(imaginable) == 1:
        return imaginable[0]
    if not imaginable:
        rates = {unit: 1.0 / (usual * SECONDS[unit]) for unit in ("min", "h", "d")}
        likely = [unit for unit, rate in rates.items() if _LIKELY_HZ[0] <= rate <= _LIKELY_HZ[1]]
    readings = ", ".join(
        f"{rate:.4g} Hz in {unit}" for unit, rate in rates.items() if 1e-3 < rate < _FASTEST_HZ
    )
    raise TinymlError(
        f"The time unit of column `{name}` is unknown: {readings or f'steps of {usual:g}'}",
        where,
        f"Set it with --set data.units.time={(likely or possible or ['ms'])[0]} "
        "(s, ms, us, ns, min, h or d), or name the column time_s or time_ms, or index where it counts rows.",
    )


def moments_of(cells: list[str], lines: Sequence[int], where: str) -> NDArray[np.int64]:
    """Nanoseconds of dates, int64 [n]; errors as of `read_clock`."""
    moments = np.empty(len(cells), np.int64)
    for index, cell in enumerate(cells):
        match = DATE.fullmatch(cell)
        moment = None if match is None else _nanoseconds(match.groupdict())
        if moment is None:
            raise TinymlError(
                f"`{cell[:40]}` is not a time",
                f"{where} line {lines[index]}",
                "Write numbers, ISO 8601 or DD.MM.YYYY hh:mm:ss.",
            )
        moments[index] = moment
    return moments


def _nanoseconds(part: Mapping[str, str | None]) -> int | None:
    """Since 1970 in UTC, or since midnight where there is no date; None for a day that no calendar has."""
    year = part["year"] or part["then_year"]
    month = part["month"] or part["then_month"] or "1"
    day = part["day"] or part["day_first"] or "1"
    try:
        days = 0 if year is None else date(int(year), int(month), int(day)).toordinal() - 719_163
    except ValueError:
        return None
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if part["half"]:
        hour = hour % 12 + 12 * (part["half"] in "pP")
    whole = (hour * 60 + minute) * 60 + second - _offset_s(part["zone"])
    return days * _DAY_NS + whole * 10**9 + int(((part["fraction"] or "") + "0" * 9)[:9])


def _offset_s(zone: str | None) -> int:
    if zone is None:
        return 0
    digits = zone[1:].replace(":", "")
    return (1 if zone[0] == "+" else -1) * 60 * (60 * int(digits[:2]) + int(digits[2:] or 0))
