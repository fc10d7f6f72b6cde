"""Filters between a board's events and their display: small classes with a NAME and one `rx`."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar, Protocol

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.protocol import Detection, Event, Ready, Text

HEARD = "Heard "


class Filter(Protocol):
    """Looks at events one by one."""

    NAME: ClassVar[str]

    def rx(self, event: Event) -> Event | None:
        """The event to hand on, changed or not; None drops it."""


class Time:
    """Adds the time of this computer: a field `time` to events, a prefix to lines."""

    NAME: ClassVar[str] = "time"

    def rx(self, event: Event) -> Event | None:
        now = datetime.now().astimezone()
        if isinstance(event, Text):
            return event.model_copy(
                update={"text": f"{now:%H:%M:%S}.{now.microsecond // 1000:03d} {event.text}"}
            )
        return event.model_copy(update={"time": now.isoformat(timespec="milliseconds")})


class Detections:
    """Drops all but what was heard, and boots."""

    NAME: ClassVar[str] = "detections"

    def rx(self, event: Event) -> Event | None:
        if isinstance(event, Text) and not event.text.startswith(HEARD):
            return None
        return event if isinstance(event, Detection | Ready | Text) else None


class EventLog:
    """Appends every event to a file, one JSON object a line, with the time of this computer."""

    NAME: ClassVar[str] = "log"

    def __init__(self, path: Path) -> None:
        """Opens the file at once, so that a mistake is known before the board is.

        Raises:
            TinymlError: the file cannot be written.
        """
        self._path = path
        try:
            self._file: IO[str] = path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise TinymlError(
                f"Cannot write the log: {error.strerror}", str(path), "Choose another file with --log."
            ) from error

    def rx(self, event: Event) -> Event | None:
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, **event.as_dict()}, ensure_ascii=False)
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise TinymlError(
                f"Cannot continue the log: {error.strerror}",
                str(self._path),
                "Free some space, or omit --log.",
            ) from error
        return event

    def close(self) -> None:
        """Ends the file; a line that could not be written was told by rx."""
        with contextlib.suppress(OSError):
            self._file.close()


_NAMED: dict[str, type[Time] | type[Detections]] = {kind.NAME: kind for kind in (Time, Detections)}


def make_filters(names: list[str]) -> list[Filter]:
    """The filters of these names, in this order.

    Raises:
        TinymlError: there is no such filter; the known ones are named.
    """
    for name in names:
        if name not in _NAMED:
            raise TinymlError(f"Unknown filter `{name}`", "--filter", f"Filters: {', '.join(_NAMED)}.")
    return [_NAMED[name]() for name in names]
