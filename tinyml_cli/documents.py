"""JSON of any origin, and what YAML shares with it: bounded in size, depth and repetition.

The standard readers trust their input. A few hundred brackets exhaust Python's stack, ten YAML aliases expand
to ten billion values, `1e999` becomes infinity, and the first of two equal keys is dropped without a message.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from tinyml_cli.user_text import printable

MAX_JSON_BYTES = 64 << 20
MAX_DATA_BYTES = 512 << 20
MAX_DEPTH = 40
# What fits into 64 bits; a longer number would overflow the first float it meets.
_MAX_INTEGER_DIGITS = 19

_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|([\]}])', re.DOTALL)


class UnreadableError(ValueError):
    """A file or text that holds no usable document; the text says why."""


def load_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The document of a JSON file.

    Raises:
        UnreadableError: not a file that can be read, not JSON, too large, nested too deeply, a key that is
            there twice, a number that is none (NaN) or beyond 64 bits.
    """
    return parse_json(text_of(path, max_bytes))


def parse_json(text: str) -> Any:
    """The document of a JSON text; raises as load_json."""
    check_depth(text)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        where = "it is empty" if not text.strip() else f"line {error.lineno}: {error.msg}"
        raise UnreadableError(where) from error
    if "\\u" in text:
        check_text(json.dumps(document, ensure_ascii=False).replace("\\u0000", "\0"))
    return document


def integer(text: str) -> int:
    """A whole number of at most 64 bits.

    Raises:
        UnreadableError: a longer one.
    """
    if len(text.lstrip("-+")) > _MAX_INTEGER_DIGITS:
        raise UnreadableError(f"the number {text[:12]}… is too large")
    return int(text)


def check_text(text: str) -> None:
    """Refuses what an escape can spell and no file name or UTF-8 text can hold.

    Raises:
        UnreadableError: a NUL, or half of a surrogate pair.
    """
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise UnreadableError("it contains an invalid character (NUL or a lone surrogate)")


def shown(value: object, length: int = 40) -> str:
    """A value as an error message quotes it: one short line without control characters."""
    text = value if isinstance(value, str) else _as_json(value)
    text = printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def text_of(path: Path, max_bytes: int) -> str:
    try:
        if path.is_dir():
            raise UnreadableError("it is a folder")
        if path.is_fifo() and path.parts[:2] not in (("/", "dev"), ("/", "proc")):
            raise UnreadableError("it is a pipe")
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableError((error.strerror or type(error).__name__).lower()) from error
    if len(data) > max_bytes:
        raise UnreadableError(f"it is larger than {max_bytes >> 10:,} KB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8 text (byte {error.start:,})") from error


def check_depth(text: str) -> None:
    """Counts the brackets of a JSON text, without recursion.

    Raises:
        UnreadableError: they are nested deeper than MAX_DEPTH.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKETS.finditer(text):
        if token.lastindex == 1:
            depth += 1
            if depth > MAX_DEPTH:
                raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep")
        elif token.lastindex == 2:
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[Hashable] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise UnreadableError(f"the key `{shown(twice)}` appears twice")
    return document


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnreadableError(f"the number {text[:12]} is too large")
    return value


def _no_constant(name: str) -> float:
    raise UnreadableError(f"{name} is not a number")
