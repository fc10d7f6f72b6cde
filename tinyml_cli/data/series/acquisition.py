"""Edge Impulse's data acquisition format, as JSON and as CBOR."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.text import check_size, decode, read_bytes
from tinyml_cli.documents import UnreadableError, parse_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

AUDIO = "audio"
SUFFIXES = (".json", ".cbor")

_NEXT_STEP = "Export it from Edge Impulse as JSON or CBOR, or give CSV."
# Python needs 64 bytes for a number in a list, and a value of a file two characters: `0,`.
_BYTES_PER_VALUE = 80
_MOST_DEPTH = 16
_MOST_SENSORS = 1000
# RFC 8746: tags of typed arrays and their elements.
_TYPED = {64: "u1", 72: "i1", 68: "u1"} | {
    tag: kind
    for base, big, small in ((65, ">u2 >u4 >u8", "<u2 <u4 <u8"), (73, ">i2 >i4 >i8", "<i2 <i4 <i8"))
    for offset, kinds in ((0, big), (4, small))
    for tag, kind in enumerate(kinds.split(), base + offset)
} | {80: ">f2", 81: ">f4", 82: ">f8", 84: "<f2", 85: "<f4", 86: "<f8"}  # fmt: skip
_SELF_DESCRIBED = 55799
_LISTS = (list, tuple, np.ndarray)


@dataclass(frozen=True)
class Acquisition:
    """One recording.

    Attributes:
        sensors: (name, unit) of the columns; an empty unit where none is said.
        values: float64 [samples, sensors], in the file's units.
        interval_ms: between two samples.
    """

    sensors: tuple[tuple[str, str], ...]
    values: NDArray[np.float64]
    interval_ms: float


def read_acquisition(path: Path) -> Acquisition:
    """Reads a recording.

    Raises:
        TinymlError: another format, rows of different length, values that are not numbers, or too
            many of them.
    """
    data = read_bytes(path, 1)
    document = _from_cbor(data, path) if path.suffix.lower() == ".cbor" else _read_json(data, str(path))
    if isinstance(document, dict) and "strokes" in document:
        raise TinymlError(
            "The file holds strokes, not a recording of a sensor",
            str(path),
            "`tinyml train wand --data FOLDER` reads strokes as they are.",
        )
    try:
        payload = document["payload"]
        sensors = tuple((str(each["name"]), str(each.get("units") or "")) for each in payload["sensors"])
        interval_ms = float(payload["interval_ms"])
        if payload["interval_ms"] is True:
            raise TypeError("interval_ms is not a number")
        values = _values(payload["values"], len(sensors))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise _refusal(path, f"{type(error).__name__}: {str(error)[:80]}") from error
    if values.ndim != 2 or values.shape[1] != len(sensors) or not len(values) or len(sensors) > _MOST_SENSORS:
        raise TinymlError(
            "The recording has gaps: some rows lack a value for one of its "
            f"{counted(len(sensors), 'sensor')}",
            str(path),
            "Record again, or remove the file.",
        )
    if not np.isfinite(values).all():
        raise TinymlError(
            "The recording contains values that are not numbers", str(path), "Record again, or remove it."
        )
    if not 1e-4 <= interval_ms <= 1e8:
        raise TinymlError(
            f"interval_ms is {interval_ms:g}", str(path), "It must be greater than 0 and less than a day."
        )
    return Acquisition(sensors, values, interval_ms)


def _read_json(data: bytes, where: str) -> Any:
    """A JSON document whose content fits into memory.

    Raises:
        TinymlError: it is not.
    """
    items = data.count(b",") + data.count(b"[") + data.count(b"{")
    check_size(len(data) * 3 + items * _BYTES_PER_VALUE, 1, where)
    try:
        return parse_json(decode(data, where).lstrip("\ufeff"))
    except UnreadableError as error:
        raise TinymlError(f"Cannot read the JSON: {error}", where, "Fix or remove the file.") from error


def _values(rows: Any, sensors: int) -> NDArray[np.float64]:
    if isinstance(rows, np.ndarray):
        values = rows.astype(np.float64)
        return values.reshape(-1, sensors) if sensors and values.size % sensors == 0 else values
    if not isinstance(rows, list | tuple):
        raise TypeError("`values` is not a list")
    if rows and not isinstance(rows[0], _LISTS):
        rows = [[value] for value in rows]
    if any(not isinstance(row, _LISTS) or len(row) != sensors for row in rows):
        return np.empty((0, sensors))
    values = np.array(rows)
    if values.dtype.kind not in "fiu":
        raise TypeError("`values` contains something that is not a number, or is beyond 64 bits")
    return values.astype(np.float64).reshape(-1, sensors)


def _from_cbor(data: bytes, path: Path) -> Any:
    import cbor2

    try:
        check_size(len(data) * 3 + _count_items(data) * _BYTES_PER_VALUE, 1, str(path))
        return cbor2.loads(data, tag_hook=_typed_array)
    except (
        cbor2.CBORError,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        MemoryError,
        EOFError,
    ) as error:
        raise _refusal(path, f"invalid CBOR: {str(error)[:80]}") from error


def _count_items(data: bytes) -> int:
    """Walks over the heads of all items, so that nothing is built of what promises more than it holds.

    Raises:
        ValueError: cut short, nested deeply, or tags that neither describe the file nor an array of numbers.
    """
    place, count = 0, 0
    open_items: list[int] = [1]  # how many items are still to come on each level; -1: until a break
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            continue
        if place >= len(data):
            raise ValueError("it ends too early")
        major, info = data[place] >> 5, data[place] & 31
        place += 1
        count += 1
        if major == 7 and info == 31:
            if open_items[-1] != -1:
                raise ValueError("an unexpected break code")
            open_items.pop()
            continue
        if open_items[-1] > 0:
            open_items[-1] -= 1
        endless = info == 31
        argument = info
        if info >= 24 and not endless:
            size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
            if not size or place + size > len(data):
                raise ValueError("a damaged length")
            argument = int.from_bytes(data[place : place + size], "big")
            place += size
        if endless and major not in (2, 3, 4, 5):
            raise ValueError("a damaged item")
        if major in (2, 3) and not endless:
            place += argument
            if place > len(data):
                raise ValueError("it ends too early")
        elif major in (2, 3, 4, 5):
            items = -1 if endless else argument * (2 if major == 5 else 1)
            if items > len(data) - place:
                raise ValueError("it declares more than it contains")
            open_items.append(items)
        elif major == 6:
            if argument not in _TYPED and argument != _SELF_DESCRIBED:
                raise ValueError(f"it contains the unsupported tag {argument}")
            open_items.append(1)
        if len(open_items) > _MOST_DEPTH:
            raise ValueError("it is nested too deeply")
    if place != len(data):
        raise ValueError("data follows its end")
    return count


def _typed_array(*arguments: Any) -> Any:
    """Numbers of a typed array; cbor2 6 hands over (tag, immutable), older ones (decoder, tag)."""
    tag = next(each for each in arguments if hasattr(each, "tag"))
    if tag.tag == _SELF_DESCRIBED:
        return tag.value
    if not isinstance(tag.value, bytes):
        raise ValueError("a typed array without bytes")
    return np.frombuffer(tag.value, np.dtype(_TYPED[tag.tag]))


def _refusal(path: Path, why: str) -> TinymlError:
    return TinymlError(f"This is not a recording in Edge Impulse's format ({why})", str(path), _NEXT_STEP)
