"""What happens in the studio, told to every open page as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

# A page that sleeps so long that it misses more reads everything anew.
_MOST_WAITING = 500
_KEEP_ALIVE_S = 15.0

Event = dict[str, Any]


class Feed:
    """Takes events from any thread, and gives them to every subscriber."""

    def __init__(self) -> None:
        self._subscribers: dict[asyncio.Queue[Event | None], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self.is_closed = False

    @property
    def is_heard(self) -> bool:
        """Whether a page listens."""
        return bool(self._subscribers)

    def publish(self, event: str, **content: Any) -> None:
        """Tells all pages; `event` says what kind it is."""
        self._put({"event": event, **content})

    def close(self) -> None:
        """Ends every subscription, so that the server can end."""
        self.is_closed = True
        self._put(None)

    async def texts(self, seconds: float) -> AsyncIterator[str]:
        """The events of `seconds` in the format of an event stream; a browser then asks again."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        with self._lock:
            self._subscribers[queue] = loop
        try:
            yield "retry: 500\n\n"
            end = loop.time() + seconds
            while not self.is_closed and (left := end - loop.time()) > 0:
                try:
                    event = await asyncio.wait_for(queue.get(), min(left, _KEEP_ALIVE_S))
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                if queue.qsize() > _MOST_WAITING:
                    while not queue.empty():
                        queue.get_nowait()
                    event = {"event": "reset"}
                yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
        finally:
            with self._lock:
                self._subscribers.pop(queue, None)

    def _put(self, event: Event | None) -> None:
        with self._lock:
            subscribers = list(self._subscribers.items())
        for queue, loop in subscribers:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(queue.put_nowait, event)
