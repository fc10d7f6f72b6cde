"""What the columns of a recording hold, by their names, their units and what they measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyml_cli.data.series import gravity, table
from tinyml_cli.data.series.clock import Clock
from tinyml_cli.data.series.columns import AXES, Role, choose, is_index, role_of, units_of_app
from tinyml_cli.data.series.time_column import is_text
from tinyml_cli.errors import TinymlError

# Of an acceleration that is one constant force: gravity is in it.
_HELD = 0.8
# Rows of this many sensors at most, of which this share changes from one to another.
_MOST_KINDS, _IN_TURN = 16, 0.3


def roles_of(
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


def checked(role: Role, found: table.Table, index: int, names: list[str], where: str) -> Role:
    """The role after a look at the values: `other` for text, `derived` for a column that counts rows.

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


def check_one_sensor(
    roles: list[Role], found: table.Table, names: list[str], clock: Clock | None, where: str
) -> None:
    """Refuses rows of several sensors in turn (`acc,0,…`, `gyro,0,…`).

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
        if is_text(found, i) or (together.mean() >= _IN_TURN and bool(changes[together].all())):
            raise TinymlError(
                f"The table mixes rows of several sensors: `{names[i]}` is "
                f"{', '.join(str(kind) for kind in kinds[:4])} in turn",
                where,
                "Write one table per sensor, or one row per moment.",
            )


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
    return gravity.held(np.stack([np.asarray(column) for column in chosen], axis=1)) > _HELD


def _feel_gravity(columns: Sequence[table.Column]) -> bool:
    if len(columns) != len(AXES) or any(isinstance(column, list) for column in columns):
        return False
    return gravity.feels_gravity(np.stack([np.asarray(column) for column in columns], axis=1))


def _is_unnamed_axis(role: Role) -> bool:
    return role.kind == "other" and bool(role.axis) and not role.unit
