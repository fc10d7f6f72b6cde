"""Time series from text: CSV with a header, and tables of windows as in the UCR archive."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

# Column names -> seconds per unit.
_TIME_COLUMNS = {
    "t": 1.0, "time": 1.0, "time_s": 1.0, "t_s": 1.0, "seconds": 1.0, "timestamp": 1.0, "timestamp_s": 1.0,
    "t_ms": 1e-3, "time_ms": 1e-3, "timestamp_ms": 1e-3, "t_us": 1e-6, "time_us": 1e-6, "timestamp_us": 1e-6,
}  # fmt: skip
_LABEL_COLUMNS = ("label", "class", "condition", "state")
# A step this many times the usual one is a gap: a window across it would never be seen on a board.
_GAP_FACTOR = 1.5


@dataclass(frozen=True)
class Stretch:
    """Samples without a gap, all of one condition.

    Attributes:
        samples: float32 [n, channels].
        channels: names of the columns.
        rate_hz: from the time column; None where there is none.
        condition: from the label column; None where there is none.
    """

    samples: NDArray[np.float32]
    channels: tuple[str, ...]
    rate_hz: float | None
    condition: str | None


def read_csv(path: Path) -> list[Stretch]:
    """Reads one file: a header, one row a sample; columns of time and label are known by their names.

    Raises:
        TinymlError: no header, no numbers, cells that are none, or time that runs backwards.
    """
    rows = _rows(path)
    header = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    if not header or all(_is_number(cell) for cell in header):
        raise TinymlError(
            "The file has no header",
            str(path),
            "Name the columns in the first line, for example: time_s,ax,ay,az",
        )
    body = rows[1:]
    if not body:
        raise TinymlError("The file holds no samples", str(path), "Remove it, or record again.")
    for number, row in body:
        if len(row) != len(header):
            raise TinymlError(
                f"The row has {len(row)} cells, the header {len(header)}",
                f"{path} line {number}",
                "Mend the row.",
            )
    time_column = next((index for index, name in enumerate(header) if name in _TIME_COLUMNS), None)
    label_column = next((index for index, name in enumerate(header) if name in _LABEL_COLUMNS), None)
    columns = [index for index in range(len(header)) if index not in (time_column, label_column)]
    if not columns:
        raise TinymlError("The file has no column of samples", str(path), "Add one beside time and label.")
    samples = _numbers(path, body, columns, header).astype(np.float32)
    labels = None if label_column is None else [row[label_column].strip() for _, row in body]
    seconds = None
    if time_column is not None:
        seconds = _numbers(path, body, [time_column], header)[:, 0] * _TIME_COLUMNS[header[time_column]]
    names = tuple(header[index] for index in columns)
    return _stretches(path, samples, names, seconds, labels)


def read_windows(path: Path) -> tuple[NDArray[np.float32], list[str]]:
    """Reads a table of windows: each line a label and then the samples, between spaces, tabs or commas.

    This is the text form of the UCR Time Series Archive (H. A. Dau et al., arXiv:1810.07758).

    Returns:
        (float32 [windows, samples], labels); a label such as 1.0000000e+00 becomes `1`.

    Raises:
        TinymlError: lines of different length, or cells that are no numbers.
    """
    rows = [(number, line.replace(",", " ").split()) for number, line in _lines(path) if line.strip()]
    if not rows:
        raise TinymlError("The file holds no samples", str(path), "Remove it, or record again.")
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width or width < 3:
            raise TinymlError(
                f"The line has {len(row)} values, the first one {width}",
                f"{path} line {number}",
                "Each line must be a label and as many samples as every other.",
            )
    values = _numbers(path, rows, list(range(1, width)), [f"sample {index}" for index in range(width)])
    return values.astype(np.float32), [_label(row[0]) for _, row in rows]


def _stretches(
    path: Path,
    samples: NDArray[np.float32],
    channels: tuple[str, ...],
    seconds: NDArray[np.float64] | None,
    labels: Sequence[str] | None,
) -> list[Stretch]:
    """Cuts at gaps and where the label changes."""
    rate_hz = None
    cuts = np.zeros(len(samples), bool)
    if seconds is not None:
        rate_hz, gaps = _rate(path, seconds)
        cuts |= gaps
        if gaps.any():
            console.warn(f"{path.name}: {int(gaps.sum())} gaps in time; windows do not reach across them")
    if labels is not None:
        cuts[1:] |= np.array(labels[1:]) != np.array(labels[:-1])
    edges = [0, *np.flatnonzero(cuts).tolist(), len(samples)]
    return [
        Stretch(samples[start:end], channels, rate_hz, labels[start] if labels is not None else None)
        for start, end in itertools.pairwise(edges)
        if end > start
    ]


def _rate(path: Path, seconds: NDArray[np.float64]) -> tuple[float, NDArray[np.bool_]]:
    """Samples a second by the median step, and before which samples there is a gap."""
    steps = np.diff(seconds)
    if not len(steps) or not np.median(steps) > 0:
        raise TinymlError(
            "The time column does not grow", str(path), "Check its unit: name it time_s, time_ms or time_us."
        )
    if (steps < 0).any():
        row = int(np.flatnonzero(steps < 0)[0]) + 3
        raise TinymlError(
            "Time runs backwards", f"{path} line {row}", "Sort the rows, or split the file there."
        )
    usual = float(np.median(steps))
    gaps = np.zeros(len(seconds), bool)
    gaps[1:] = steps > _GAP_FACTOR * usual
    # The median of rounded times is rounded itself: the mean over all steps without gaps is not.
    return 1.0 / float(steps[~gaps[1:]].mean()), gaps


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TinymlError(
            f"The file cannot be read ({error})", str(path), "Save it as CSV in UTF-8."
        ) from error


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        return list(enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1))
    except (OSError, UnicodeDecodeError) as error:
        raise TinymlError(
            f"The file cannot be read ({error})", str(path), "Save it as plain text."
        ) from error


def _numbers(
    path: Path, rows: Sequence[tuple[int, list[str]]], columns: Sequence[int], header: Sequence[str]
) -> NDArray[np.float64]:
    """float64 [rows, columns]; every cell must be a finite number."""
    values = np.empty((len(rows), len(columns)), np.float64)
    for index, (number, row) in enumerate(rows):
        for place, column in enumerate(columns):
            cell = row[column].strip()
            try:
                values[index, place] = float(cell)
            except ValueError as error:
                raise _no_number(path, number, header[column], cell) from error
            if not np.isfinite(values[index, place]):
                raise _no_number(path, number, header[column], cell)
    return values


def _no_number(path: Path, number: int, column: str, cell: str) -> TinymlError:
    return TinymlError(
        f"`{cell[:40]}` in column `{column}` is no number" if cell else f"Column `{column}` is empty",
        f"{path} line {number}",
        "Remove such rows; with a time column the gap that they leave is respected.",
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _label(cell: str) -> str:
    return f"{float(cell):g}" if _is_number(cell) else cell
