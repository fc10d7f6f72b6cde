"""Recorded motions of a hand: takes of gestures, as CSV or in Edge Impulse's format, in the board's units."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.anomaly.edge_impulse import read_motion
from tinyml_cli.data.wand.kinematics import GRAVITY
from tinyml_cli.errors import TinymlError

Samples = NDArray[np.int16]

CHANNELS = 6
_LAYOUT = (
    "Give CSV files with a header such as aX,aY,aZ,gX,gY,gZ (acceleration in g, rotation in degrees a "
    "second) and one row a sample, or Edge Impulse's JSON; named by their gesture, or in a folder named so."
)
_FORCE = re.compile(r"^a(cc\w*?)?[_ ]?([xyz])(_mg|_g)?$", re.IGNORECASE)
_RATE = re.compile(r"^g(yr\w*?)?[_ ]?([xyz])(_ddps|_dps)?$", re.IGNORECASE)
_TIME = re.compile(r"^(t|time|timestamp)(_ms)?$", re.IGNORECASE)
# At rest an accelerometer feels gravity: what a file calls it tells the file's unit.
_UNITS_MG = ((1 / 8, 8.0, 1000.0), (GRAVITY / 1.3, 8 * GRAVITY, 1000.0 / GRAVITY), (150.0, 8000.0, 1.0))
_RATE_TOLERANCE = 0.02


@dataclass(frozen=True)
class Take:
    """One motion, or one stretch of motion of one kind.

    Attributes:
        samples: int16 [n, 6], as the `imu` command has them: g / 1000 and 0.1 deg/s.
        label: the gesture.
        name: the file, and the number of the take where it holds several.
        group: what belongs together: the person in LABEL/PERSON/FILE, else the file, or the take where a
            file holds several.
    """

    samples: Samples
    label: str
    name: str
    group: str


@dataclass(frozen=True)
class Takes:
    """All of a folder.

    Attributes:
        takes: in the order of their files.
        rate_hz: samples a second.
        window_samples: the length that all takes share; None where they differ.
    """

    takes: tuple[Take, ...]
    rate_hz: float
    window_samples: int | None


def read_takes(root: Path, rate_hz: float, take_samples: int) -> Takes:
    """The takes of a folder, or of one file.

    Args:
        root: files of gestures, or folders of them.
        rate_hz: of files that do not say it.
        take_samples: of a CSV file that holds takes one after another, with nothing between them.

    Raises:
        TinymlError: nothing there that can be read, a damaged file, or rates that are mixed.
    """
    takes: list[Take] = []
    rates: dict[float, Path] = {}
    for path in _files(root):
        pieces, rate = _read(path, rate_hz, take_samples)
        rates.setdefault(rate, path)
        name = path.relative_to(root).as_posix() if path != root else path.name
        folders = name.split("/")[:-1]
        label = folders[0] if folders else path.name.partition(".")[0]
        for index, piece in enumerate(pieces):
            part = f"{name}:{index + 1}" if len(pieces) > 1 else name
            takes.append(Take(piece, label, part, folders[1] if len(folders) > 1 else part))
    slowest, fastest = min(rates), max(rates)
    if fastest > slowest * (1 + _RATE_TOLERANCE):
        raise TinymlError(
            f"The data mixes rates: {slowest:g} samples a second in `{rates[slowest].name}`, {fastest:g} in "
            f"`{rates[fastest].name}`",
            str(root),
            "Keep the files of one rate.",
        )
    lengths = {len(take.samples) for take in takes}
    return Takes(tuple(takes), round(slowest, 3), lengths.pop() if len(lengths) == 1 else None)


def holds_motion(root: Path) -> bool:
    """Whether a folder's first file is a table or an Edge Impulse recording of motion, and not of strokes."""
    try:
        first = _files(root)[0]
    except TinymlError:
        return False
    return first.suffix.lower() == ".csv" or '"strokes"' not in first.read_text("utf-8", "replace")[:200]


def between_rests(samples: Samples, rate_hz: float, rest_s: float = 0.5) -> Samples:
    """The motion int16 [n, 6] with the board held still before and after it, as its ends were held."""
    rests = []
    for sample in (samples[0], samples[-1]):
        force = sample[:3] * (1000 / max(float(np.linalg.norm(sample[:3].astype(float))), 1.0))
        rests.append(np.tile(np.concatenate([np.rint(force), np.zeros(3)]), (round(rest_s * rate_hz), 1)))
    whole: Samples = np.concatenate([rests[0], samples, rests[1]]).astype(np.int16)
    return whole


def _files(root: Path) -> list[Path]:
    found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    files = [path for path in found if path.suffix.lower() in (".csv", ".json") and path.name[0] != "."]
    if not files:
        raise TinymlError("There are no recorded motions", str(root), _LAYOUT)
    return files


def _read(path: Path, rate_hz: float, take_samples: int) -> tuple[list[Samples], float]:
    if path.suffix.lower() == ".json":
        samples, rate, _ = read_motion(path)
        return [samples], rate
    return _read_csv(path, rate_hz, take_samples)


def _read_csv(path: Path, rate_hz: float, take_samples: int) -> tuple[list[Samples], float]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        names = [name.strip() for name in rows[0]]
        columns = _columns(names, path)
        starts, values = _numbers(rows[1:], len(names))
    except (OSError, UnicodeDecodeError, ValueError, IndexError, csv.Error) as error:
        raise TinymlError(f"The motions cannot be read: {error}", str(path), _LAYOUT) from error
    time = next((values[:, i] for i, name in enumerate(names) if _TIME.match(name)), None)
    if time is not None:
        starts |= set((np.flatnonzero(np.diff(time) <= 0) + 1).tolist())
        steps = np.diff(time)
        rate_hz = 1000 / float(np.median(steps[steps > 0])) if (steps > 0).any() else rate_hz
    elif not starts and len(values) % take_samples == 0:
        starts = set(range(take_samples, len(values), take_samples))
    samples = _in_board_units(values, columns, [name.lower() for name in names])
    return np.split(samples, sorted(starts)), rate_hz


def _columns(names: list[str], path: Path) -> list[int | None]:
    """Where acceleration x, y, z and rotation x, y, z stand; None for a rotation that is not there."""
    found: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        for kind, pattern in (("a", _FORCE), ("g", _RATE)):
            if (match := pattern.match(name)) is not None:
                found.setdefault((kind, match.group(2).lower()), index)
    if not all(("a", axis) in found for axis in "xyz"):
        raise TinymlError(f"There is no acceleration among {', '.join(names)[:120]}", str(path), _LAYOUT)
    return [found.get((kind, axis)) for kind in "ag" for axis in "xyz"]


def _numbers(rows: list[list[str]], width: int) -> tuple[set[int], NDArray[np.float64]]:
    """The rows as numbers, and where a new take begins after an empty line."""
    starts: set[int] = set()
    values: list[list[float]] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            starts.add(len(values))
            continue
        if len(row) != width:
            raise ValueError(f"line {number} has {len(row)} values instead of {width}")
        values.append([float(cell) for cell in row])
    table = np.array(values, np.float64)
    if not len(table) or not np.isfinite(table).all():
        raise ValueError("it holds no rows, or values that are no numbers")
    return starts - {0, len(values)}, table


def _in_board_units(values: NDArray[np.float64], columns: list[int | None], names: list[str]) -> Samples:
    result = np.zeros((len(values), CHANNELS))
    for channel, column in enumerate(columns):
        if column is not None:
            result[:, channel] = values[:, column]
    first_rate = columns[3]
    result[:, :3] *= _force_unit(result[:, :3], names)
    result[:, 3:] *= 1.0 if first_rate is not None and names[first_rate].endswith("_ddps") else 10.0
    return np.clip(np.rint(result), -32768, 32767).astype(np.int16)


def _force_unit(force: NDArray[np.float64], names: list[str]) -> float:
    """Thousandths of g per unit of the file."""
    if any(name.endswith("_mg") for name in names):
        return 1.0
    usual = float(np.median(np.linalg.norm(force, axis=1)))
    return next((unit for low, high, unit in _UNITS_MG if low <= usual < high), 1000.0)
