"""From bytes in pieces of any size to events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tinyml_cli.documents import check_depth
from tinyml_cli.link.protocol.event import Event
from tinyml_cli.link.protocol.events import Malformed, Text, parse_event
from tinyml_cli.user_text import printable

# The longest legitimate line (`ready` with many labels, `output` of a large model) stays far below this.
MAX_EVENT_BYTES = 65_536
_MAX_RECOVERIES_PER_LINE = 16


class LineDecoder:
    """Turns bytes, in pieces of any size, into events; never raises.

    Survives noise, half lines, invalid UTF-8, lines without end, and a reboot in the middle of a line
    (the banner that follows the torn half on the same line is found).
    """

    def __init__(self, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Event]:
        """Adds bytes; returns the events of every line that they complete."""
        events: list[Event] = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            events += self._end_line(piece)
        self._extend(rest)
        return events

    def reset(self) -> None:
        """Forgets a half line, as after a reconnection."""
        self._partial.clear()
        self._skipping = False

    def _extend(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._partial += piece
        if len(self._partial) > self._max_line_bytes:
            del self._partial[80:]
            self._skipping = True

    def _end_line(self, piece: bytes) -> list[Event]:
        self._extend(piece)
        line = printable(self._partial.decode("utf-8", "replace").strip())
        skipped = self._skipping
        self.reset()
        if skipped:
            return [Malformed(text=line, why=f"line longer than {self._max_line_bytes} bytes")]
        return list(_parse_line(line)) if line else []


def _parse_line(line: str) -> Iterator[Event]:
    found = False
    for document in _json_objects(line):
        found = True
        yield parse_event(document)
    if not found:
        yield Text(text=line)


def _json_objects(line: str) -> Iterator[dict[str, Any]]:
    """Every JSON object with an "event" in the line, whatever stands around it."""
    position = 0
    for _ in range(_MAX_RECOVERIES_PER_LINE):
        position = line.find("{", position) if position == 0 else line.find('{"event"', position)
        if position < 0:
            return
        try:
            document, end = _DECODER.raw_decode(line, position)
            check_depth(line[position:end])  # nested this deep, it can be read but not copied or written
            position = end
            json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate can be read, not written
        except (ValueError, RecursionError):
            position += 1
            continue
        if isinstance(document.get("event"), str):
            yield document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
