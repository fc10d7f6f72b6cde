"""What a job says, line by line, in a file: clients read it from where they stopped, also after a restart."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

_MOST_LINES = 2000
_MOST_CHARS = 1000
_POLL_S = 0.2
_KEEP_ALIVE_S = 15.0


class JobLog:
    """Appends events of a job; each is a line of JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._lines = 0

    def say(self, **event: Any) -> None:
        """Adds an event; beyond 2,000 lines of text, only changes of state are kept."""
        if "line" in event:
            self._lines += 1
            if self._lines > _MOST_LINES:
                return
            event["line"] = event["line"][:_MOST_CHARS]
        event["time_s"] = round(time.time(), 3)
        with self._lock, self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(event, ensure_ascii=False) + "\n")


async def texts(path: Path, after: int, ended: Callable[[], str]) -> AsyncIterator[str]:
    """Events of a log as a stream of server-sent events, until the job has ended.

    Args:
        path: of the log; it may vanish.
        after: events to leave out; each has its number as its id.
        ended: the state of a job that has ended, else empty; asked before each look at the file.
    """
    sent, told_s = after, time.monotonic()
    yield "retry: 1000\n\n"
    while True:
        state = ended()
        for line in _whole_lines(path)[sent:]:
            sent, told_s = sent + 1, time.monotonic()
            yield f"id: {sent}\ndata: {line}\n\n"
        if state:
            yield f"event: end\ndata: {json.dumps({'state': state})}\n\n"
            return
        if time.monotonic() - told_s > _KEEP_ALIVE_S:
            told_s = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(_POLL_S)


def _whole_lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text[: text.rfind("\n") + 1].splitlines()
