"""Which column of a table is the time, by its name, unit or values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series import table
from tinyml_cli.data.series.clock import moments_of
from tinyml_cli.data.series.columns import Role
from tinyml_cli.data.series.dialect import DATE
from tinyml_cli.data.series.units import SECONDS
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe

_FEWEST_TIMED_ROWS = 5
_STEADY_SHARE = 0.9
_PARTS = ("ms", "us", "ns")
_CLOCK = re.compile(r"\d:\d\d")
NAME_COLUMNS = "Or name all columns with --set data.columns=[…] (`index` for one that counts rows)."


def with_time(
    roles: list[Role], found: table.Table, names: list[str], options: SeriesRecipe, where: str
) -> list[Role]:
    """The roles with a time column, found by its unit or values if no name says which it is.

    Raises:
        TinymlError: a column that may be the time, or is the time in an unknown notation.
    """
    if time_column(roles, found) is not None:
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
                f"Set its unit with --set data.units.time=ms (s, ms, us or ns). {NAME_COLUMNS}",
            )
    return [replace(role, kind="time") if i == time else role for i, role in enumerate(roles)]


def time_column(roles: Sequence[Role], found: table.Table) -> int | None:
    """The column of time: of several the one with most different values, numbers before dates."""
    candidates = [i for i, role in enumerate(roles) if role.kind == "time"]
    candidates = [i for i in candidates if not is_text(found, i) or DATE.fullmatch(found.columns[i][0])]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return max(
        candidates,
        key=lambda i: (len(set(np.asarray(found.columns[i]).tolist())), not is_text(found, i), -i),
    )


def joined_time(
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


def check_no_steps(roles: Sequence[Role], names: Sequence[str], where: str) -> None:
    for role, name in zip(roles, names, strict=True):
        if role.kind == "step":
            raise TinymlError(
                f"Column `{name}` holds the time since the previous row, and no column the time",
                where,
                "Add a column time_s with its sum, or give the rate of even steps: --set data.rate_hz=100",
            )


def _grows(column: table.Column) -> bool:
    if isinstance(column, list) or len(column) <= _FEWEST_TIMED_ROWS:
        return False
    steps = np.diff(column)
    usual = float(np.median(steps))
    return usual > 0 and bool((np.abs(steps - usual) <= usual / 2).mean() > _STEADY_SHARE)


def rises(column: table.Column) -> bool:
    if isinstance(column, list):
        return False
    steps = np.diff(column)
    return (
        len(steps) >= _FEWEST_TIMED_ROWS and bool((steps >= 0).mean() > 0.9) and float(np.median(steps)) > 0
    )


def is_text(found: table.Table, index: int) -> bool:
    return isinstance(found.columns[index], list)


def is_date(found: table.Table, index: int) -> bool:
    column = found.columns[index]
    return isinstance(column, list) and bool(column) and DATE.fullmatch(column[0]) is not None
