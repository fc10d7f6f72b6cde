"""Motion recordings in Edge Impulse's data acquisition format (JSON)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError

CHANNELS = ("ax_mg", "ay_mg", "az_mg", "gx_ddps", "gy_ddps", "gz_ddps")
"""What boards send: acceleration in g / 1000, rotation in tenths of a degree per second."""

_ACCELERATION = {"m/s2": 1000.0 / 9.80665, "m/s^2": 1000.0 / 9.80665, "g": 1000.0, "mg": 1.0}
_ROTATION = {"dps": 10.0, "deg/s": 10.0, "n/a": 10.0, "": 10.0, "rad/s": 10.0 * 57.29577951308232}


def read_motion(path: Path) -> tuple[NDArray[np.int16], float, str]:
    """Reads one recording.

    Returns:
        (int16 [n, 6] in the units of CHANNELS, samples a second, label: the file's name up to its first dot).

    Raises:
        TinymlError: another kind of file, other sensors, or values that are no numbers.
    """
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))["payload"]
        interval_ms = float(payload["interval_ms"])
        sensors, rows = payload["sensors"], payload["values"]
        values = np.array(rows, np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TinymlError(
            f"This is no recording in Edge Impulse's format ({type(error).__name__}: {error})",
            str(path),
            "Export it from Edge Impulse as JSON, or give CSV.",
        ) from error
    if values.ndim != 2 or values.shape[1] != len(sensors) or not np.isfinite(values).all():
        raise TinymlError(
            "The recording has holes: rows of different length, or values that are no numbers",
            str(path),
            "Record again, or remove the file.",
        )
    if not interval_ms > 0:
        raise TinymlError(f"interval_ms is {interval_ms:g}", str(path), "It must be more than 0.")
    scales = _scales(path, sensors)
    samples = np.clip(np.rint(values[:, : len(CHANNELS)] * scales), -32768, 32767).astype(np.int16)
    return samples, 1000.0 / interval_ms, path.name.partition(".")[0]


def _scales(path: Path, sensors: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Units of CHANNELS per unit of the file, for three accelerations and three rotations."""
    names = [str(sensor.get("name", "")).lower() for sensor in sensors]
    if len(names) < 6 or not all(n.startswith("acc") for n in names[:3]) or "gyr" not in names[3]:
        raise TinymlError(
            f"The recording has the sensors {', '.join(names)}",
            str(path),
            "Give accX, accY, accZ, gyrX, gyrY, gyrZ, in this order; anything else as CSV.",
        )
    scales = []
    for sensor, table in zip(sensors[:6], [_ACCELERATION] * 3 + [_ROTATION] * 3, strict=True):
        unit = str(sensor.get("units", "")).lower()
        if unit not in table:
            raise TinymlError(
                f"`{sensor.get('name')}` is in `{unit}`", str(path), f"Known units: {', '.join(table)}."
            )
        scales.append(table[unit])
    return np.array(scales)
