"""Tables of windows, one per line, as in the UCR Time Series Archive (H. A. Dau et al., arXiv:1810.07758)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.table import TABLES, rows_of
from tinyml_cli.data.series.text import decode, read_text
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

SUFFIXES = (".txt", ".tsv", ".ts")

_HEAD_BYTES = 1 << 16
# Below this line of a `.ts` file stand the windows, each with its label behind a colon.
_DATA = "@data"
# No series has so many columns, and no window so few samples.
MOST_CHANNELS = 16


def holds_windows(path: Path) -> bool:
    """Whether a table has no header, and a window in each line rather than a sample.

    Raises:
        TinymlError: it cannot be read as text.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise TinymlError(
            f"Cannot read the file: {error.strerror}", str(path), "Check its permissions."
        ) from error
    lines = decode(head, str(path)).splitlines(keepends=True)
    if any(line.strip().lower() == _DATA for line in lines):
        return True
    rows = rows_of("".join(lines[:-1] if len(head) == _HEAD_BYTES and len(lines) > 1 else lines), str(path))
    widths = [len(cells) for _, cells in rows]
    if not rows or not all(_number(cell) is not None for cell in rows[0][1]):
        return False
    return min(widths) > MOST_CHANNELS or (path.suffix.lower() in SUFFIXES and max(widths) > 1)


def is_windows(path: Path) -> bool:
    """Whether a file of any kind is a table of windows."""
    try:
        return path.suffix.lower() in (*TABLES, *SUFFIXES) and holds_windows(path)
    except TinymlError:
        return False  # whoever reads it says why


def read_windows(path: Path) -> tuple[NDArray[np.float32], list[str]]:
    """Reads a table of windows: each line a label and then the samples.

    Returns:
        (float32 [windows, samples], labels); a label such as 1.0000000e+00 becomes `1`.

    Raises:
        TinymlError: lines of different length, or cells that are not numbers.
    """
    text = read_text(path)
    rows = _after_header(text, path) if f"\n{_DATA}" in text.lower() else rows_of(text, str(path))
    if not rows:
        raise TinymlError("The file contains no samples", str(path), "Remove it, or record again.")
    width = len(rows[0][1])
    values = np.empty((len(rows), width - 1), np.float32)
    for index, (number, cells) in enumerate(rows):
        if len(cells) != width or width < 3:
            raise TinymlError(
                f"The line has {counted(len(cells), 'value')}, the first one {width}",
                f"{path} line {number}",
                "Each line must have a label and the same number of samples.",
            )
        for place, cell in enumerate(cells[1:]):
            value = _number(cell)
            if value is None or not np.isfinite(value):
                raise TinymlError(
                    f"`{cell[:40]}` is not a number", f"{path} line {number}", "Fix or remove the line."
                )
            values[index, place] = value
    return values, [_label(cells[0]) for _, cells in rows]


def _after_header(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Rows of a `.ts` file of sktime, with the label in front.

    Raises:
        TinymlError: windows of several channels.
    """
    rows, begun = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if begun and line.strip():
            channels = line.strip().split(":")
            if len(channels) != 2:
                raise TinymlError(
                    f"The window has {counted(len(channels) - 1, 'channel')}",
                    f"{path} line {number}",
                    "Give a file with one channel and a label in each line.",
                )
            rows.append((number, [channels[1], *(cell.strip() for cell in channels[0].split(","))]))
        begun = begun or line.strip().lower() == _DATA
    return rows


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return None


def _label(cell: str) -> str:
    value = _number(cell)
    return cell if value is None else f"{value:g}"
