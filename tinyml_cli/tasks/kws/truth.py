"""The ground truth of a recording: tab-separated rows, as audio editors export their label tracks."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.kws.detection_errors import Passage, Target
from tinyml_cli.wording import counted

_COLUMNS = ("file", "start_s", "end_s", "time_s", "label")
# A moment without a length means a word around it: said within half a second before or after.
_HALF_WORD_MS = 500
_IGNORED = -1  # label of a row whose word is none of the model's
_LAYOUT = (
    "Each row: start_s<TAB>end_s<TAB>label, or time_s<TAB>label. A header with these names allows any order, "
    "and a `file` column, which several recordings need."
)


@dataclass(frozen=True)
class GroundTruth:
    """What is said in a recording: the targets, and all rows, whatever their label; by their starts."""

    targets: list[Target]
    said: list[Passage]


@dataclass(frozen=True)
class _TruthRow:
    line: int
    file: str
    target: Target
    is_moment: bool
    text: str

    def collides(self, later: _TruthRow) -> bool:
        """Whether a row that does not start before this one has the same word at the same time."""
        if self.is_moment or later.is_moment:
            return self.target == later.target
        return later.target.start_ms < self.target.end_ms


def read_truth(
    path: Path, labels: Sequence[str], durations_ms: Mapping[str, int], words: Sequence[str]
) -> dict[str, GroundTruth]:
    """What is said in each recording.

    Args:
        path: UTF-8; with a header naming columns of `start_s end_s label` or `time_s label` and perhaps
            `file`, or without one, three or two columns in this order. Lines that are empty or begin with #
            do not count. Nothing is said where there is a header alone.
        labels: the model's; rows of other labels are not targets.
        durations_ms: file name -> its duration.
        words: the labels that can be reported.

    Returns:
        file name -> its truth.

    Raises:
        TinymlError: an unreadable file or row, times that end before they start or are outside the audio,
            one word twice at the same time, no row and no header, or no row that is a target.
    """
    rows: list[_TruthRow] = []
    for line, fields in _fields(path):
        label = _label(fields["label"], words)
        file = _file_of(path, line, fields.get("file"), durations_ms)
        target = _target(path, line, fields, durations_ms[file], labels.index(label) if label else _IGNORED)
        rows.append(_TruthRow(line, file, target, "start_s" not in fields, fields["label"]))
    named = [row for row in rows if row.target.label != _IGNORED]
    _say_ignored(path, [row.text for row in rows if row.target.label == _IGNORED], len(named), words)
    _refuse_overlaps(path, named, labels)
    rows.sort(key=lambda row: row.target.start_ms)
    return {
        file: GroundTruth(
            [row.target for row in rows if row.file == file and row.target.label != _IGNORED],
            [Passage(row.target.start_ms, row.target.end_ms, row.text) for row in rows if row.file == file],
        )
        for file in durations_ms
    }


def _fields(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(line number, column -> text) of every row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TinymlError(f"Cannot read the ground truth: {error}", str(path), _LAYOUT) from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line.strip() and not line.startswith(("#", "\\"))]
    if not lines:
        raise TinymlError(
            "The ground truth is empty",
            str(path),
            f"{_LAYOUT} If nobody says a word, write a header alone: start_s<TAB>end_s<TAB>label",
        )
    rows = [
        (
            number,
            [field.strip() for field in next(csv.reader([line], delimiter="\t", quoting=csv.QUOTE_NONE))],
        )
        for number, line in lines
    ]
    header = rows[0][1]
    if "label" in header:
        return _with_header(path, header, rows[1:])
    result = []
    for number, row in rows:
        if len(row) not in (2, 3):
            raise _bad_row(path, number, f"has {counted(len(row), 'column')}")
        names = ("time_s", "label") if len(row) == 2 else ("start_s", "end_s", "label")
        result.append((number, dict(zip(names, row, strict=True))))
    return result


def _with_header(
    path: Path, header: list[str], rows: list[tuple[int, list[str]]]
) -> list[tuple[int, dict[str, str]]]:
    known = set(header) & set(_COLUMNS)
    if not ({"start_s", "end_s"} <= known) and "time_s" not in known:
        raise TinymlError("The header of the ground truth names no time column", str(path), _LAYOUT)
    for number, row in rows:
        if len(row) != len(header):
            raise _bad_row(path, number, f"has {counted(len(row), 'column')}, the header {len(header)}")
    return [(number, dict(zip(header, row, strict=True))) for number, row in rows]


def _label(text: str, words: Sequence[str]) -> str | None:
    """The word that a label names, ignoring case; None if it is none of the model's."""
    return next((word for word in words if word.casefold() == text.casefold()), None)


def _file_of(path: Path, line: int, given: str | None, durations_ms: Mapping[str, int]) -> str:
    if given is None:
        if len(durations_ms) > 1:
            raise TinymlError(
                f"The ground truth does not say which of {counted(len(durations_ms), 'recording')} its "
                "rows belong to",
                str(path),
                "Add a header with a `file` column, such as: file<TAB>start_s<TAB>end_s<TAB>label",
            )
        return next(iter(durations_ms))
    if given not in durations_ms:
        raise _bad_row(path, line, f"names `{given}`, which is not one of the recordings")
    return given


def _target(path: Path, line: int, fields: Mapping[str, str], duration_ms: int, label: int) -> Target:
    if fields.get("start_s") is not None:
        start_ms, end_ms = (_milliseconds(path, line, fields[name]) for name in ("start_s", "end_s"))
    else:
        moment = _milliseconds(path, line, fields["time_s"])
        if not 0 <= moment <= duration_ms:
            raise _outside(path, line, moment, duration_ms)
        start_ms, end_ms = max(0, moment - _HALF_WORD_MS), min(duration_ms, moment + _HALF_WORD_MS)
    if end_ms < start_ms:
        raise _bad_row(path, line, "ends before it starts")
    for time_ms in (start_ms, end_ms):
        if not 0 <= time_ms <= duration_ms:
            raise _outside(path, line, time_ms, duration_ms)
    return Target(start_ms, end_ms, label)


def _milliseconds(path: Path, line: int, text: str) -> int:
    try:
        seconds = float(text)
    except ValueError as error:
        raise _bad_row(path, line, f"has `{text}` instead of a time in seconds") from error
    if not math.isfinite(seconds):
        raise _bad_row(path, line, f"has `{text}` instead of a time in seconds")
    return round(seconds * 1000)


def _say_ignored(path: Path, ignored: Sequence[str], targets: int, words: Sequence[str]) -> None:
    names = ", ".join(f"`{name}`" for name in sorted(set(ignored))[:5])
    if ignored and not targets:
        raise TinymlError(
            f"No row is a word of the model: {names}",
            str(path),
            f"The model's words are {', '.join(words)}.",
        )
    if ignored:
        console.warn(f"{path.name}: ignored {counted(len(ignored), 'row')} with other words: {names}.")


def _refuse_overlaps(path: Path, rows: Sequence[_TruthRow], labels: Sequence[str]) -> None:
    """One word cannot be reported twice at once."""
    last: dict[tuple[str, int], _TruthRow] = {}
    for row in sorted(rows, key=lambda row: row.target.start_ms):
        key = row.file, row.target.label
        before = last.get(key)
        if before is not None and before.collides(row):
            raise TinymlError(
                f"Lines {before.line} and {row.line} both list `{labels[row.target.label]}` at the same time",
                str(path),
                "Merge them into one row, or correct the times.",
            )
        if before is None or row.target.end_ms > before.target.end_ms:
            last[key] = row


def _bad_row(path: Path, line: int, what: str) -> TinymlError:
    return TinymlError(f"Line {line} of the ground truth {what}", str(path), _LAYOUT)


def _outside(path: Path, line: int, time_ms: int, duration_ms: int) -> TinymlError:
    return _bad_row(
        path, line, f"is at {time_ms / 1000:g} s, but the recording lasts {duration_ms / 1000:g} s"
    )
