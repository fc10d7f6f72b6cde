"""From lines of text to columns of numbers: delimiter, decimal mark, comments, header and row of units."""

from __future__ import annotations

import csv
import json
import re
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.units import canonical
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

TABLES = (".csv", ".tsv", ".txt", ".dat", ".log", ".jsonl", ".ndjson")
"""Endings of files that are tables."""

Column = NDArray[np.float64] | list[str]

_DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
_COMMENT = ("#", "%", "//")
_SEPARATOR_LINE = re.compile(r"^sep=(.)$", re.IGNORECASE)
_MONITOR_CLOCK = re.compile(r"^(\d\d:\d\d:\d\d\.\d{3}) -> ")
_SINGLE_QUOTED = re.compile(r"'([^'\"]*)'(?=\s*(?:[,;\t|]|$))")
_NAMED = re.compile(r"([^\W\d][^:=,;\t]{0,40}?)[ ]?[:=][ ]?([-+]?[\d.][\d.eE+-]*)")
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE)
# Thousands parted by the mark that repeats, with decimals after the other one.
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,'’\u00a0\u2009\u202f])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?")
_WORD = re.compile(r"[^\W\d][\w .\-]*")
DATE = re.compile(
    r"(?:(?:(?P<year>\d{4})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)"
    r"|(?P<day_first>\d\d?)\.(?P<then_month>\d\d?)\.(?P<then_year>\d{4}),?)[T _]\s*)?"
    r"(?P<hour>\d\d?)[:.](?P<minute>\d\d)[:.](?P<second>\d\d)(?:[.,:_](?P<fraction>\d+))?"
    r"\s*(?:(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|(?P<zone>[+-]\d\d:?(?:\d\d)?))?"
)
"""ISO 8601, what AndroSensor and MbientLab make of it, and days before months where points part them.

The date may lack. 3/1/2026 is not among them: it is a day of March here and of January there.
"""
_PROBED_LINES = 80
_NUMERIC_SHARE = 0.8
_LEAST_FIT = 0.4
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


@dataclass(frozen=True)
class _Dialect:
    delimiter: str
    decimal: str
    ends_empty: bool = False  # a delimiter at the end of every line makes no column

    def split(self, line: str) -> list[str]:
        if '"' in line:
            cells = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])
        elif self.delimiter == " ":
            cells = line.split()
        else:
            cells = line.split(self.delimiter)
        cells = [cell.strip() for cell in cells]
        if self.ends_empty and len(cells) > 1 and not cells[-1]:
            cells.pop()
        return cells

    def numbers(self, line: str) -> list[float]:
        """The cells of a line that holds nothing but plain numbers; empty for any other."""
        if '"' in line or "_" in line or self.delimiter == self.decimal:
            return []
        if self.decimal == ",":
            if "." in line:
                return []
            line = line.replace(",", ".")
        if self.ends_empty and line.endswith(self.delimiter):
            line = line[:-1]
        try:
            return [
                float(cell)
                for cell in (line.split() if self.delimiter == " " else line.split(self.delimiter))
            ]
        except ValueError:
            return []

    def number(self, cell: str) -> float:
        if "_" in cell:
            raise ValueError(cell)
        grouped = _GROUPED.fullmatch(cell)
        if grouped is not None and grouped.group(1) != self.decimal:
            cell = cell.replace(grouped.group(1), "")
        if self.decimal == ",":
            if "." in cell:
                raise ValueError(cell)
            cell = cell.replace(",", ".")
        return float(cell)


def parse(text: str, where: str, decimal: str | None = None) -> Table:
    """Reads a table.

    Args:
        text: the file's.
        where: its path, for messages.
        decimal: the decimal mark; found where None.

    Raises:
        TinymlError: no rows of numbers, rows that do not fit the others, cells that are no numbers.
    """
    lines, remarks = _lines(text)
    dialect = _dialect([line for _, line in lines], decimal, where)
    if decimal is None:
        _check_thousands([line for _, line in lines if line], dialect, where)
    width = _width([dialect.split(line) for line in _probe([line for _, line in lines if line])], where)
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
    lines, _ = _lines(text)
    kept = [(number, line) for number, line in lines if line]
    dialect = _dialect([line for _, line in kept], None, where)
    return [(number, dialect.split(line)) for number, line in kept]


def _probe(items: list[str]) -> list[str]:
    """Some of all, evenly."""
    return items[:: max(1, len(items) // _PROBED_LINES)]


def _lines(text: str) -> tuple[list[tuple[int, str]], list[str]]:
    """Numbered lines without comments and what sketches and monitors add; blank ones are empty strings."""
    result: list[tuple[int, str]] = []
    comments = 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        stripped = line.strip(" \r\n")
        if stripped.startswith(_COMMENT):
            names = stripped.lstrip("#%/ ")
            # `# t_ms,ax,ay,az` above the numbers is a header, as numpy.savetxt writes it.
            if not result and any(mark in names for mark in ",;\t") and "=" not in names:
                result.append((number, names))
                continue
            comments += 1
            continue
        if not result and _SEPARATOR_LINE.match(stripped.strip('"')):
            continue
        if stripped[:1] == "'" == stripped[-1:]:
            stripped = _SINGLE_QUOTED.sub(r'"\1"', stripped)
        clock = _MONITOR_CLOCK.match(stripped) if " -> " in stripped else None
        if clock is not None:
            stripped = stripped[clock.end() :].strip()
        result.append((number, stripped))
    result = _unnamed(_of_json(result))
    return result, [f"{counted(comments, 'comment line')} skipped"] if comments else []


def _of_json(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Objects in JSON, one a line, as a header and rows; `{"acc": {"x": 1}}` is a column `acc x`."""
    filled = [line for _, line in lines if line]
    if not filled or any(line[0] != "{" for line in _probe(filled)):
        return lines
    names: list[str] = []
    rows = []
    for number, line in lines:
        try:
            cells = {
                f"{name} {inner}".strip(): cell
                for name, value in json.loads(line).items()
                for inner, cell in (value.items() if isinstance(value, dict) else [("", value)])
            }
        except (ValueError, RecursionError, AttributeError):
            rows.append((number, line))  # reading it as a row says what is wrong
            continue
        names = names or list(cells)
        rows.append((number, "\t".join(str(cells.get(name, "")).replace("\t", " ") for name in names)))
    return [(0, "\t".join(names)), *rows] if names else lines


def _unnamed(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """`ax:0.1,ay:0.2` of Arduino's plotter as a header and rows."""
    filled = [line for _, line in lines if line][:_PROBED_LINES]
    if sum(":" in line or "=" in line for line in filled) < _NUMERIC_SHARE * len(filled):
        return lines
    named = [[] if _NAMED.sub("", line).strip(" ,;\t") else _NAMED.findall(line) for line in filled]
    counts = Counter(len(pairs) for pairs in named if pairs)
    if not counts or counts.most_common(1)[0][1] < _NUMERIC_SHARE * len(filled):
        return lines
    pairs = next(pairs for pairs in named if len(pairs) == counts.most_common(1)[0][0])
    names = [name.strip() for name, _ in pairs]
    if len(set(names)) != len(names):
        return lines
    result = [(0, ",".join(names))]
    for number, line in lines:
        pairs = _NAMED.findall(line)
        result.append((number, ",".join(value for _, value in pairs) if pairs else line))
    return result


def _dialect(lines: list[str], decimal: str | None, where: str) -> _Dialect:
    filled = [line for line in lines if line]
    probed = _probe(filled[1:]) or filled
    best: tuple[float, _Dialect] | None = None
    for delimiter in _DELIMITERS:
        mark = decimal or _decimal(probed, delimiter)
        if mark == delimiter and not any('"' in line for line in probed):
            continue
        score, cells, ends_empty = _fit(probed, _Dialect(delimiter, mark))
        if cells > 1 and (best is None or score > best[0] + 0.02):
            best = (score, _Dialect(delimiter, mark, ends_empty))
    if best is not None and best[0] > _LEAST_FIT:
        return _by_header(filled, best[1], where)
    return _Dialect("\t", decimal or _decimal(probed, "\t"))


def _decimal(lines: Sequence[str], delimiter: str) -> str:
    """The mark that no thousands can be parted by; where both may be, the one that most numbers have.

    A comma delimits where it may, but for quoted cells.
    """
    certain, seen = Counter[str](), Counter[str]()
    for line in lines:
        if delimiter == "," and '"' not in line:
            continue
        for cell in _Dialect(delimiter, ".").split(line):
            if _is_number(cell) and (mark := max(".,", key=cell.rfind)) in cell:
                seen[mark] += 1
                certain[mark] += not _parts_thousands(cell, mark)
    of = certain if certain["."] != certain[","] else seen
    return "," if of[","] > of["."] else "."


def _parts_thousands(cell: str, mark: str) -> bool:
    grouped = _GROUPED.fullmatch(cell)
    return grouped is not None and grouped.group(1) == mark


def _check_thousands(lines: list[str], dialect: _Dialect, where: str) -> None:
    """Refuses tables in which every decimal mark may part thousands, such as `16.384` above `512`.

    Raises:
        TinymlError: it is such a table.
    """
    for few in (True, False):  # nearly all tables show by their first rows that they are none
        rows = [dialect.split(line) for line in (_probe(lines) if few else lines)]
        doubtful = {
            (i, mark): cell
            for row in rows
            for i, cell in enumerate(row)
            if _is_number(cell)
            for mark in ".,"
            if mark in cell
        }
        if any(
            dialect.decimal in cell and _is_number(cell) and not _parts_thousands(cell, dialect.decimal)
            for row in rows
            for cell in row
        ):
            return
    whole = {i for row in rows for i, cell in enumerate(row) if cell.lstrip("+-").isdecimal()}
    for (i, mark), cell in doubtful.items():
        if i in whole or (mark != dialect.decimal and len({mark for _, mark in doubtful}) > 1):
            plain = cell.replace(mark, "")
            raise TinymlError(
                f"`{cell}` may be {plain} with its thousands parted, or a number with decimals",
                where,
                "Say which is the decimal mark: --set data.decimal=comma or --set data.decimal=dot.",
            )


def _fit(lines: Sequence[str], dialect: _Dialect) -> tuple[float, int, bool]:
    """(share of cells that are numbers in lines of the usual width; the width; whether lines end empty)."""
    rows = [dialect.split(line) for line in lines]
    ends_empty = sum(len(row) > 1 and not row[-1] for row in rows) > _NUMERIC_SHARE * len(rows)
    if ends_empty:
        rows = [row[:-1] if not row[-1] else row for row in rows]
    (width, _), *_ = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    right = sum(_value_of(cell, dialect) for row in rows if len(row) == width for cell in row)
    return right / max(1, width * len(rows)), width, ends_empty


def _value_of(cell: str, dialect: _Dialect) -> float:
    """How much a cell looks like one: numbers and dates do, words half."""
    if _is_number(cell):
        return float(not (dialect.decimal == "." and "," in cell) or _parts_thousands(cell, ","))
    return 1.0 if DATE.fullmatch(cell) else 0.5 if _WORD.fullmatch(cell) else 0.0


def _by_header(lines: list[str], dialect: _Dialect, where: str) -> _Dialect:
    """A comma between numbers and one within them look alike, but the header counts the columns."""
    if dialect.delimiter != "," or dialect.decimal != ".":
        return dialect
    header = dialect.split(lines[0])
    widths = {len(dialect.split(line)) for line in _probe(lines[1:])}
    if any(map(_is_number, header)) or not widths:
        return dialect
    if len(header) == 1 and widths == {2}:
        return _Dialect("\t", ",")
    if len(header) > 1 and min(widths) >= 2 * len(header) - 1:
        raise TinymlError(
            f"Commas both separate columns and mark decimals: {counted(len(header), 'name')}, "
            f"{counted(min(widths), 'cell')} per row",
            where,
            "Export it with semicolons or tabs between the columns, or with dots in the numbers.",
        )
    return dialect


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None or _GROUPED.fullmatch(cell) is not None


def _is_data(cells: list[str]) -> bool:
    """Whether a row holds measurements: numbers, perhaps with a date and a label among them."""
    return sum(map(_is_number, cells)) >= max(1, (len(cells) - 2) / 2)


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
    dialect: _Dialect,
    where: str,
    remarks: list[str],
    cut: bool,
) -> Table:
    width = len(units)
    if names and len(names) != width:
        raise TinymlError(
            f"The row has {counted(width, 'cell')}, the header {len(names)}: {', '.join(names)[:80]}",
            f"{where} line {lines[0][0]}",
            f"The separator is {_DELIMITERS.get(dialect.delimiter, dialect.delimiter)}; "
            "fix the header or the rows.",
        )
    probed = [
        cells for line in _probe([line for _, line in lines]) if len(cells := dialect.split(line)) == width
    ]
    words: dict[int, list[str]] = {
        i: [] for i in range(width) if sum(_is_number(row[i]) for row in probed) < len(probed) / 2
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
        elif names and width > 1 and not any(_is_number(cell) or DATE.fullmatch(cell) for cell in cells):
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
    if len(cuts) >= _NUMERIC_SHARE * len(numbers) > 1:
        cuts = []  # a blank line after every row parts nothing: newlines were written twice
    grid = np.array(flat).reshape(-1, width)
    beyond = np.argwhere(~(np.abs(grid) <= _LARGEST))  # nan compares as false
    if len(beyond):
        row, i = beyond[0].tolist()
        raise _no_number(where, numbers[row], names[i] if names else str(i + 1), f"{grid[row, i]:g}")
    columns: list[Column] = [words[i] if i in words else grid[:, i] for i in range(width)]
    return Table(names, units, columns, sorted(set(cuts) - {0, len(numbers)}), numbers, remarks)


def _number(cell: str, dialect: _Dialect, where: str, line: int, column: str) -> float:
    try:
        return dialect.number(cell)
    except ValueError as error:
        raise _no_number(where, line, column, cell) from error


def no_number(where: str, found: Table, index: int, column: str) -> TinymlError:
    """What is wrong with the first cell of a column of text."""
    cells = found.columns[index]
    assert isinstance(cells, list)
    row = next(i for i, cell in enumerate(cells) if not _is_number(cell))
    return _no_number(where, found.lines[row], column, cells[row])


def _no_number(where: str, line: int, column: str, cell: str) -> TinymlError:
    return TinymlError(
        f"`{cell[:40]}` in column `{column}` is not a sensor reading"
        if cell
        else f"Column `{column}` is empty",
        f"{where} line {line}",
        "Remove such rows; with a time column, the gaps are handled.",
    )
