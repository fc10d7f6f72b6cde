"""Which sensor a table is of, by its first rows: names of files are in any language, units are not."""

from __future__ import annotations

import numpy as np

from tinyml_cli.data.series import gravity, table
from tinyml_cli.data.series.columns import AXES, choose, role_of, units_of_app
from tinyml_cli.data.series.text import decode
from tinyml_cli.data.series.units import ACCELERATION_G
from tinyml_cli.errors import TinymlError

HEAD_BYTES = 1 << 15
"""As much as has to be looked at; even, for UTF-16."""


def sensor_in(head: bytes, where: str, sensor: str = "") -> str:
    """What the beginning of a table holds.

    Args:
        head: up to HEAD_BYTES.
        where: the file.
        sensor: what its name says.

    Returns:
        `acceleration`, `linear` (without gravity) or `rotation`; empty where it is none of them, or several.
    """
    try:
        text = decode(head, where)
        whole = text if len(head) < HEAD_BYTES else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
        found = table.parse(whole, where)
    except TinymlError:
        return ""
    sensor = "acceleration" if sensor == "linear" else sensor
    pairs = zip(found.names, found.units, strict=True) if found.names else ()
    roles = [role_of(name, unit or None, sensor) for name, unit in pairs]
    forces, rates = choose(roles, "acceleration"), choose(roles, "rotation")
    if bool(forces) == bool(rates):
        return ""
    if rates:
        return "rotation"
    chosen = [forces[axis] for axis in AXES if axis in forces]
    columns = [found.columns[i] for i in chosen]
    unit = roles[chosen[0]].unit or units_of_app(found.names).get("acceleration", "")
    if any(isinstance(column, list) for column in columns):
        return ""
    values = np.stack([np.asarray(column) for column in columns], axis=1)
    # Where nothing tells the unit, without gravity is less than half of either g.
    scale = ACCELERATION_G.get(unit, 1.0)
    lacks = gravity.lacks_gravity([values], scale) and not gravity.feels_gravity(values)
    linear = any(roles[i].linear for i in chosen) or lacks
    return "linear" if linear else "acceleration"
