"""Tables as text that fits a width. No cell is ever truncated: long text is wrapped, split or listed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from tinyml_cli.user_text import printable

_GAP = "  "
_MAX_LINES = 4  # that a cell may be wrapped to; taller rows are harder to read than another layout,
_TEXT = 24  # unless the column is at least as wide as this: running text
_MAX_PANELS = 4
_LONGEST_WORD = 24  # longer ones (paths, names of tensors) may be broken, after a separator where they can
_DEFAULT_WIDTH = 80
_NARROWEST = 40
_WORD = re.compile(r"[+-]?[\d.,]+ (?:%|[kKMG]?i?B|dB|ms|s|min|h|d)(?!\S)|\S+")
_SEPARATED = re.compile(r"[^/;:,._\\-]*[/;:,._\\-]?")
_NUMBER = re.compile(r"[+-]?[\d.,]+ ?(%|[KMG]i?B?|dB|ms)?|[-–]?")


@dataclass(frozen=True)
class _TableColumn:
    """One column.

    Attributes:
        cells: its heading, then a cell for each row; lines are separated by newlines.
        right: whether cells are aligned right.
    """

    cells: tuple[str, ...]
    right: bool

    @property
    def natural(self) -> int:
        """The width at which nothing is wrapped."""
        return max(_width(line) for cell in self.cells for line in cell.split("\n"))

    @property
    def narrowest(self) -> int:
        """The width below which a word would be broken that should stay whole."""
        words = max(_width(word) for cell in self.cells for word in _words(cell) or [""])
        return min(words, _LONGEST_WORD)


def width_of(stream: IO[str]) -> int:
    """Characters a line may have on a stream: $COLUMNS, the terminal's width, or 80 in a pipe."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(_NARROWEST, int(os.environ["COLUMNS"]))
    try:
        return max(_NARROWEST, os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError, AttributeError):
        return max(_NARROWEST, shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns)


def render(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> str:
    """The table as lines of at most `width` columns.

    In this order, the first that fits: a table; a table with wrapped cells; several tables below each other
    that repeat the first column; every row as a block of `heading  value` lines.

    Args:
        title: a line or paragraph above the table; "" for none.
        heads: the headings.
        rows: as many values each as there are headings. Columns of numbers are aligned right.
        width: characters of a line.
    """
    head = [line for part in title.split("\n") if part for line in _wrap(part, width)]
    columns = [_column(heads[index], [row[index] for row in rows]) for index in range(len(heads))]
    groups = [columns]
    sizes = [_fit(columns, width)]
    if sizes[0] is None:
        groups = _panels(columns, width)
        sizes = [_fit(group, width) for group in groups]
    if not groups or len(groups) > _MAX_PANELS or None in sizes:
        return "\n".join([*head, *_blocks(columns, width)])
    bodies = [_grid(group, size) for group, size in zip(groups, sizes, strict=True) if size is not None]
    return "\n".join([*head, *"\n\n".join(bodies).split("\n")])


def _column(head: str, values: Sequence[object]) -> _TableColumn:
    cells = [_text(value) for value in values]
    right = bool(cells) and any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
    return _TableColumn((_text(head), *cells), right)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    lines = str(value).split("\n")
    # Names of files and tensors come from anywhere and must not steer the terminal.
    return "\n".join(map(printable, lines))


def _width(text: str) -> int:
    """Columns of a terminal that the text takes: two for a character such as は."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _fit(columns: Sequence[_TableColumn], width: int) -> list[int] | None:
    """A width for each column so that the table fits and no cell has too many lines; None: there is none."""
    sizes = [column.natural for column in columns]
    room = width - len(_GAP) * (len(columns) - 1)
    floors = [column.narrowest for column in columns]
    if sum(floors) > room:
        return None
    while sum(sizes) > room:
        slack = [(size if size > floor else 0) for size, floor in zip(sizes, floors, strict=True)]
        sizes[slack.index(max(slack))] -= 1
    legible = all(
        size >= _TEXT or _height(column, size) <= _MAX_LINES
        for column, size in zip(columns, sizes, strict=True)
    )
    return sizes if legible else None


def _height(column: _TableColumn, size: int) -> int:
    """Lines of the tallest cell that wrapping makes, at a width."""
    return max(len(_wrap(line, size)) for cell in column.cells for line in cell.split("\n"))


def _panels(columns: Sequence[_TableColumn], width: int) -> list[list[_TableColumn]]:
    """The columns in groups that fit, each of which begins with the first column; [] for running text."""
    first, *others = columns
    if any(column.natural > width // 2 for column in columns):
        return []
    groups: list[list[_TableColumn]] = []
    for column in others:
        if groups and _fit([*groups[-1], column], width) and _same_lines([*groups[-1], column], width):
            groups[-1].append(column)
        elif _fit([first, column], width):
            groups.append([first, column])
        else:
            return []
    return groups


def _same_lines(columns: Sequence[_TableColumn], width: int) -> bool:
    """Whether the columns fit without wrapping."""
    return sum(column.natural for column in columns) + len(_GAP) * (len(columns) - 1) <= width


def _grid(columns: Sequence[_TableColumn], sizes: Sequence[int]) -> str:
    lines = []
    for row in range(len(columns[0].cells)):
        lines += _row(columns, sizes, row)
        if row == 0:
            lines.append(_GAP.join("-" * size for size in sizes))
    return "\n".join(lines)


def _row(columns: Sequence[_TableColumn], sizes: Sequence[int], row: int) -> list[str]:
    wrapped = [
        [part for line in column.cells[row].split("\n") for part in _wrap(line, size)]
        for column, size in zip(columns, sizes, strict=True)
    ]
    lines = []
    for index in range(max(map(len, wrapped))):
        parts = []
        for column, size, cell in zip(columns, sizes, wrapped, strict=True):
            text = cell[index] if index < len(cell) else ""
            blank = " " * (size - _width(text))
            parts.append(blank + text if column.right else text + blank)
        lines.append(_GAP.join(parts).rstrip())
    return lines


def _blocks(columns: Sequence[_TableColumn], width: int) -> list[str]:
    first, *others = columns
    label = max((_width(column.cells[0]) for column in others), default=0)
    lines = []
    for row in range(1, len(first.cells)):
        lines += [part for line in first.cells[row].split("\n") for part in _wrap(line, width)]
        for column in others:
            value = column.cells[row]
            if not value:
                continue
            name = column.cells[0]
            indent = _GAP + name + " " * (label - _width(name)) + _GAP
            room = max(1, width - _width(indent))
            parts = [part for line in value.split("\n") for part in _wrap(line, room)]
            lines.append((indent + parts[0]).rstrip())
            lines += [" " * _width(indent) + part for part in parts[1:]]
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at blanks, and within a word only where it is longer."""
    if _width(text) <= width:
        return [text]
    lines, line = [], ""
    for word in (piece for whole in _words(text) for piece in _pieces(whole, width)):
        glue = "" if not line or word.follows else " "
        if line and _width(line) + len(glue) + _width(word.text) > width:
            lines.append(line)
            line = word.text
        else:
            line += glue + word.text
    return [*lines, line]


def _words(text: str) -> list[str]:
    """The words of a text; a number and its unit are one."""
    return [" ".join(word.split()) for word in _WORD.findall(text)]


@dataclass(frozen=True)
class _TextPiece:
    """A word, or a part of a long one; `follows` another part without a blank."""

    text: str
    follows: bool


def _pieces(word: str, width: int) -> list[_TextPiece]:
    if _width(word) <= width:
        return [_TextPiece(word, False)]
    parts: list[str] = []
    for part in _SEPARATED.findall(word):
        while _width(part) > width:
            size = next(n for n in range(len(part), 0, -1) if _width(part[:n]) <= width or n == 1)
            parts.append(part[:size])
            part = part[size:]
        parts.append(part)
    return [_TextPiece(part, index > 0) for index, part in enumerate(parts) if part]
