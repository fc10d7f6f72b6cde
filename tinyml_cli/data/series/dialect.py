"""How a table is written: what separates its cells, and what marks decimals."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE)
# Thousands separated by the mark that repeats, decimals by the other one.
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
PROBED_LINES = 80
NUMERIC_SHARE = 0.8
_LEAST_FIT = 0.4


@dataclass(frozen=True)
class Dialect:
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


def dialect_of(lines: list[str], decimal: str | None, where: str) -> Dialect:
    filled = [line for line in lines if line]
    probed = probe(filled[1:]) or filled
    best: tuple[float, Dialect] | None = None
    for delimiter in DELIMITERS:
        mark = decimal or _decimal(probed, delimiter)
        if mark == delimiter and not any('"' in line for line in probed):
            continue
        score, cells, ends_empty = _fit(probed, Dialect(delimiter, mark))
        if cells > 1 and (best is None or score > best[0] + 0.02):
            best = (score, Dialect(delimiter, mark, ends_empty))
    if best is not None and best[0] > _LEAST_FIT:
        return _by_header(filled, best[1], where)
    return Dialect("\t", decimal or _decimal(probed, "\t"))


def check_thousands(lines: list[str], dialect: Dialect, where: str) -> None:
    """Refuses tables in which every decimal mark may separate thousands, such as `16.384` above `512`.

    Raises:
        TinymlError: it is ambiguous in this way.
    """
    for few in (True, False):  # a few rows settle nearly all tables
        rows = [dialect.split(line) for line in (probe(lines) if few else lines)]
        doubtful = {
            (i, mark): cell
            for row in rows
            for i, cell in enumerate(row)
            if is_number(cell)
            for mark in ".,"
            if mark in cell
        }
        if any(
            dialect.decimal in cell and is_number(cell) and not _parts_thousands(cell, dialect.decimal)
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


def probe(items: list[str]) -> list[str]:
    """A sample of the items, evenly spread."""
    return items[:: max(1, len(items) // PROBED_LINES)]


def is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None or _GROUPED.fullmatch(cell) is not None


def _decimal(lines: Sequence[str], delimiter: str) -> str:
    """The mark that cannot separate thousands; if both can, the one that most numbers have.

    A comma is taken for the delimiter wherever possible, except with quoted cells.
    """
    certain, seen = Counter[str](), Counter[str]()
    for line in lines:
        if delimiter == "," and '"' not in line:
            continue
        for cell in Dialect(delimiter, ".").split(line):
            if is_number(cell) and (mark := max(".,", key=cell.rfind)) in cell:
                seen[mark] += 1
                certain[mark] += not _parts_thousands(cell, mark)
    of = certain if certain["."] != certain[","] else seen
    return "," if of[","] > of["."] else "."


def _parts_thousands(cell: str, mark: str) -> bool:
    grouped = _GROUPED.fullmatch(cell)
    return grouped is not None and grouped.group(1) == mark


def _fit(lines: Sequence[str], dialect: Dialect) -> tuple[float, int, bool]:
    """(share of cells that are numbers in lines of the usual width; the width; whether lines end empty)."""
    rows = [dialect.split(line) for line in lines]
    ends_empty = sum(len(row) > 1 and not row[-1] for row in rows) > NUMERIC_SHARE * len(rows)
    if ends_empty:
        rows = [row[:-1] if not row[-1] else row for row in rows]
    (width, _), *_ = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    right = sum(_value_of(cell, dialect) for row in rows if len(row) == width for cell in row)
    return right / max(1, width * len(rows)), width, ends_empty


def _value_of(cell: str, dialect: Dialect) -> float:
    """How much a cell looks like one: numbers and dates do, words half."""
    if is_number(cell):
        return float(not (dialect.decimal == "." and "," in cell) or _parts_thousands(cell, ","))
    return 1.0 if DATE.fullmatch(cell) else 0.5 if _WORD.fullmatch(cell) else 0.0


def _by_header(lines: list[str], dialect: Dialect, where: str) -> Dialect:
    """A comma between numbers and one within them look alike, but the header counts the columns."""
    if dialect.delimiter != "," or dialect.decimal != ".":
        return dialect
    header = dialect.split(lines[0])
    widths = {len(dialect.split(line)) for line in probe(lines[1:])}
    if any(map(is_number, header)) or not widths:
        return dialect
    if len(header) == 1 and widths == {2}:
        return Dialect("\t", ",")
    if len(header) > 1 and min(widths) >= 2 * len(header) - 1:
        raise TinymlError(
            f"Commas both separate columns and mark decimals: {counted(len(header), 'name')}, "
            f"{counted(min(widths), 'cell')} per row",
            where,
            "Export it with semicolons or tabs between the columns, or with dots in the numbers.",
        )
    return dialect
