"""From lines of text to columns of numbers: header, row of units, rows."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.dialect import (
    DATE,
    DELIMITERS,
    NUMERIC_SHARE,
    Dialect,
    check_thousands,
    dialect_of,
    is_number,
    probe,
)
from tinyml_cli.data.series.lines import lines_of
from tinyml_cli.data.series.units import canonical
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

TABLES = (".csv", ".tsv", ".txt", ".dat", ".log", ".jsonl", ".ndjson")
"""Endings of files that are tables."""

Column = NDArray[np.float64] | list[str]

_MOST_COLUMNS = 1000
# Nanoseconds since 1970 have 19 digits.
_LARGEST = 1e20


@dataclass
class Table:
    """A file's columns.

    Attributes:
        names: of the columns; empty where there is no header.
        units: from a row below the header; empty strings where there is none.
        columns: float64 [n], or strings where the cells are not numbers.
        cuts: rows before which a blank line, a mark or a repeated header stands.
        lines: number of each row's line in the file, from 1.
        remarks: what was passed over.
    """

    names: list[str]
    units: list[str]
    columns: list[Column]
    cuts: list[int]
    lines: list[int]
    remarks: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)


def parse(text: str, where: str, decimal: str | None = None) -> Table:
    """Reads a table.

    Args:
        text: the file's.
        where: its path, for messages.
        decimal: the decimal mark; found where None.

    Raises:
        TinymlError: no rows of numbers, rows that do not fit the others, cells that are not numbers.
    """
    lines, remarks = lines_of(text)
    dialect = dialect_of([line for _, line in lines], decimal, where)
    if decimal is None:
        check_thousands([line for _, line in lines if line], dialect, where)
    width = _width([dialect.split(line) for line in probe([line for _, line in lines if line])], where)
    head: list[list[str]] = []
    for _, line in lines:
        cells = dialect.split(line) if line else []
        if len(cells) == width and _is_data(cells):
            break
        head.append(cells)
    names, units, used = _header(head, width)
    if passed := sum(map(bool, head)) - used:
        remarks.append(f"{counted(passed, 'line')} before the header skipped")
    return _body(lines[len(head) :], names, units, dialect, where, remarks, not text.endswith(("\n", "\r")))


def rows_of(text: str, where: str) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not blank, with its number.

    Raises:
        TinymlError: no rows of numbers.
    """
    lines, _ = lines_of(text)
    kept = [(number, line) for number, line in lines if line]
    dialect = dialect_of([line for _, line in kept], None, where)
    return [(number, dialect.split(line)) for number, line in kept]


def _is_data(cells: list[str]) -> bool:
    """Whether a row holds measurements: numbers, perhaps with a date and a label among them."""
    return sum(map(is_number, cells)) >= max(1, (len(cells) - 2) / 2)


def _width(rows: Sequence[list[str]], where: str) -> int:
    widths = Counter(len(cells) for cells in rows if _is_data(cells))
    if not widths:
        raise TinymlError(
            "The file contains no samples",
            str(where),
            "Use a table of numbers with column names in the first line, or remove the file.",
        )
    width = widths.most_common(1)[0][0]
    if width > _MOST_COLUMNS:
        raise TinymlError(f"The file has {counted(width, 'column')}", where, "Write one sample per row.")
    return width


def _header(rows: list[list[str]], width: int) -> tuple[list[str], list[str], int]:
    """(names, units, rows that they took) from the rows before the first one of numbers."""
    filled = [cells for cells in rows if cells]
    none = [""] * width
    if not filled:
        return [], none, 0
    last = filled[-1]
    if all(set(cell) <= {"-"} for cell in last):
        # So begins each take of the wand's data set of TensorFlow, which is in mg.
        return ["ax_mg", "ay_mg", "az_mg"] if width == 3 else [], none, 1
    if len(filled) > 1 and len(last) == width == len(filled[-2]) and _are_units(last):
        return filled[-2], [cell.strip("()[] ") for cell in last], 2
    return last, none, 1


def _are_units(cells: list[str]) -> bool:
    known = [canonical(cell.strip("()[] ")) for cell in cells]
    return all(unit is not None for unit in known) and any(known)


def _body(
    lines: list[tuple[int, str]],
    names: list[str],
    units: list[str],
    dialect: Dialect,
    where: str,
    remarks: list[str],
    cut: bool,
) -> Table:
    width = len(units)
    if names and len(names) != width:
        raise TinymlError(
            f"The row has {counted(width, 'cell')}, the header {len(names)}: {', '.join(names)[:80]}",
            f"{where} line {lines[0][0]}",
            f"The separator is {DELIMITERS.get(dialect.delimiter, dialect.delimiter)}; "
            "fix the header or the rows.",
        )
    probed = [
        cells for line in probe([line for _, line in lines]) if len(cells := dialect.split(line)) == width
    ]
    words: dict[int, list[str]] = {
        i: [] for i in range(width) if sum(is_number(row[i]) for row in probed) < len(probed) / 2
    }
    flat = array("d")
    numbers: list[int] = []
    cuts: list[int] = []
    for index, (number, line) in enumerate(lines):
        values = dialect.numbers(line) if line and not words else []
        if len(values) == width:
            numbers.append(number)
            flat.extend(values)
            continue
        cells = dialect.split(line) if line else []
        if not cells or cells == names or all(not cell or set(cell) <= {"-"} for cell in cells):
            cuts.append(len(numbers))
        elif cut and index == len(lines) - 1 and numbers and (len(cells) < width or cells[-1] in ("", "-")):
            remarks.append("a truncated last line skipped")
        elif len(cells) != width:
            raise TinymlError(
                f"The row has {counted(len(cells), 'cell')}, the header {width}",
                f"{where} line {number}",
                "Fix the row.",
            )
        elif names and width > 1 and not any(is_number(cell) or DATE.fullmatch(cell) for cell in cells):
            raise TinymlError(
                f"Another header begins here: {', '.join(cells)[:80]}",
                f"{where} line {number}",
                "Split the file there.",
            )
        else:
            numbers.append(number)
            for i, cell in enumerate(cells):
                if i in words:
                    words[i].append(sys.intern(cell))
                    flat.append(0.0)
                else:
                    flat.append(_number(cell, dialect, where, number, names[i] if names else str(i + 1)))
    if len(cuts) >= NUMERIC_SHARE * len(numbers) > 1:
        cuts = []  # a blank line after every row separates nothing: newlines were written twice
    grid = np.array(flat).reshape(-1, width)
    beyond = np.argwhere(~(np.abs(grid) <= _LARGEST))  # nan compares as false
    if len(beyond):
        row, i = beyond[0].tolist()
        raise _no_number(where, numbers[row], names[i] if names else str(i + 1), f"{grid[row, i]:g}")
    columns: list[Column] = [words[i] if i in words else grid[:, i] for i in range(width)]
    return Table(names, units, columns, sorted(set(cuts) - {0, len(numbers)}), numbers, remarks)


def _number(cell: str, dialect: Dialect, where: str, line: int, column: str) -> float:
    try:
        return dialect.number(cell)
    except ValueError as error:
        raise _no_number(where, line, column, cell) from error


def no_number(where: str, found: Table, index: int, column: str) -> TinymlError:
    """What is wrong with the first cell of a column of text."""
    cells = found.columns[index]
    assert isinstance(cells, list)
    row = next(i for i, cell in enumerate(cells) if not is_number(cell))
    return _no_number(where, found.lines[row], column, cells[row])


def _no_number(where: str, line: int, column: str, cell: str) -> TinymlError:
    return TinymlError(
        f"`{cell[:40]}` in column `{column}` is not a sensor reading"
        if cell
        else f"Column `{column}` is empty",
        f"{where} line {line}",
        "Remove such rows; with a time column, the gaps are handled.",
    )
