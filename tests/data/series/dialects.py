"""One motion as many tools would write it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 100.0
SAMPLES = 150

HEADERS = {
    "sketch": ("time", "aX", "aY", "aZ", "gX", "gY", "gZ"),
    "edge_impulse": ("timestamp", "accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ"),
    "lower": ("t", "ax", "ay", "az", "gx", "gy", "gz"),
    "words": ("Time", *(f"Accelerometer {a}" for a in "XYZ"), *(f"Gyroscope {a}" for a in "XYZ")),
    "snake": ("time", "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"),
    "dotted": ("time", "accel.x", "accel.y", "accel.z", "gyro.x", "gyro.y", "gyro.z"),
}
ACCELERATION = {"g": 1.0, "mg": 1000.0, "m/s2": 9.80665, "m/s²": 9.80665, "16384": 16384.0, "4096": 4096.0}
ROTATION = {"deg/s": 1.0, "°/s": 1.0, "rad/s": np.pi / 180, "mdps": 1000.0}
TIME = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
STARTS = {"zero": 0.0, "boot": 37.21, "epoch": 1_700_000_000.0}


def motion(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [n, 6]: acceleration in g and rotation in degrees a second of a hand that waves."""
    t = seconds
    force = [0.45 * np.sin(7 * t), 0.2 * np.cos(5 * t), 1 + 0.15 * np.sin(3 * t)]
    rate = [140 * np.sin(6 * t), -60 * np.cos(4 * t), 25 * np.sin(9 * t + 1)]
    return np.stack(force + rate, axis=1)


@dataclass(frozen=True)
class Dialect:
    """How a tool writes."""

    header: str = "sketch"
    units: str = "brackets"  # brackets, row, suffix or none
    acceleration: str = "g"
    rotation: str = "deg/s"
    time: str = "ms"  # or ISO
    start: str = "zero"
    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    newline: str = "\n"
    comment: bool = False
    counted: bool = False
    trailing: bool = False
    quoted: bool = False
    order: int = 0


def draw(rng: np.random.Generator) -> Dialect:
    """Any dialect of which only one reading is possible."""

    def pick(*choices: str) -> str:
        return str(rng.choice(choices))

    delimiter = pick(",", ";", "\t", " ", "|")
    encoding = pick("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
    units = pick("brackets", "row", "suffix", "none")
    header = pick(*HEADERS)
    if delimiter == " ":
        units, header = ("none" if units == "brackets" else units), pick("sketch", "lower", "snake", "dotted")
    time = pick("s", "ms", "us", "ns", "ISO")
    acceleration, rotation = pick(*ACCELERATION), pick(*ROTATION)
    if acceleration.isdigit() or units == "none":
        rotation = "deg/s" if rotation == "°/s" or acceleration.isdigit() else rotation
    return Dialect(
        header, units, acceleration, rotation, time, pick(*STARTS), delimiter,
        pick(".", ",") if delimiter != "," else ".", encoding, pick("\n", "\r\n"),
        *(bool(rng.integers(2)) for _ in range(4)), int(rng.integers(1000)),
    )  # fmt: skip


def write(dialect: Dialect, path: Path, seconds: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Writes motion [n, 6] at times [n]."""
    scales = [ACCELERATION[dialect.acceleration]] * 3 + [ROTATION[dialect.rotation]] * 3
    scaled = values * scales
    if dialect.acceleration.isdigit():
        scaled[:, :3] = np.rint(scaled[:, :3])
    cells = [[_number(v, dialect) for v in row] for row in scaled.tolist()]
    times = [_time(second, dialect) for second in seconds.tolist()]
    names, units = list(HEADERS[dialect.header]), [""] * 7
    said = [
        "" if dialect.time == "ISO" else dialect.time,
        *[_said(dialect.acceleration)] * 3,
        *[dialect.rotation] * 3,
    ]
    if dialect.units == "brackets":
        names = [f"{name} ({unit})" if unit else name for name, unit in zip(names, said, strict=True)]
    elif dialect.units == "suffix":
        short = {"m/s2": "ms2", "m/s²": "ms2", "deg/s": "dps", "°/s": "dps", "rad/s": "rads"}
        names = [f"{n}_{short.get(u, u)}" if u else n for n, u in zip(names, said, strict=True)]
    elif dialect.units == "row":
        units = [unit or "raw" for unit in said]
        units[0] = "-" if dialect.time == "ISO" else dialect.time
    order = np.random.default_rng(dialect.order).permutation(6)
    table = [
        names,
        *([units] if any(units) else []),
        *([t, *row] for t, row in zip(times, cells, strict=True)),
    ]
    rows = [[row[0], *(row[1 + i] for i in order)] for row in table]
    if dialect.counted:
        first = len(rows) - len(times)
        rows = [
            ["index" if i == 0 else "" if i < first else str(i - first), *row] for i, row in enumerate(rows)
        ]
        if dialect.delimiter == " ":
            rows = [row[1:] for row in rows]
    if dialect.quoted and dialect.delimiter != " ":
        rows[0] = [f'"{name}"' for name in rows[0]]
    end = dialect.delimiter if dialect.trailing and dialect.delimiter != " " else ""
    lines = ["# recorded by hand"] * dialect.comment + [dialect.delimiter.join(row) + end for row in rows]
    path.write_bytes((dialect.newline.join(lines) + dialect.newline).encode(dialect.encoding))


def write_acquisition(path: Path, values: NDArray[np.float64], acceleration: str, rotation: str) -> None:
    """Edge Impulse's format, JSON or CBOR by the path's suffix."""
    units = [acceleration] * 3 + [rotation] * 3
    scales = [ACCELERATION[acceleration]] * 3 + [ROTATION[rotation]] * 3
    names = HEADERS["edge_impulse"][1:]
    payload = {
        "device_type": "TEST",
        "interval_ms": 1000 / RATE_HZ,
        "sensors": [{"name": n, "units": u} for n, u in zip(names, units, strict=True)],
        "values": (values * scales).tolist(),
    }
    document = {"protected": {"ver": "v1", "alg": "none"}, "signature": "0", "payload": payload}
    path.write_bytes(cbor2.dumps(document) if path.suffix == ".cbor" else json.dumps(document).encode())


def _said(unit: str) -> str:
    return "" if unit.isdigit() else unit


def _number(value: float, dialect: Dialect) -> str:
    text = f"{value:.6f}" if abs(value) < 10 else f"{value:.4f}"
    return text.replace(".", dialect.decimal)


def _time(second: float, dialect: Dialect) -> str:
    start = STARTS[dialect.start]
    if dialect.time == "ISO":
        moment = datetime.fromtimestamp(1_700_000_000, UTC) + timedelta(seconds=round(second, 6))
        text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return text + "Z" if dialect.order % 2 else text
    ticks = (start + second) * TIME[dialect.time]
    return f"{ticks:.6f}".replace(".", dialect.decimal) if dialect.time == "s" else f"{ticks:.0f}"
