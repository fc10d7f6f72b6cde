"""A connection of uvicorn's that is closed where its request does not arrive: slow clients hold no place."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 15.0
"""How long the head of a request may take from its first byte on, and the first byte of a connection."""


class Connection(H11Protocol):
    """HTTP/1.1 with a deadline for the head of each request; bodies have one in `endpoints`."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Starts the deadline of the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADERS_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Starts the deadline of a further request; lifts it once the head is there."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._lift()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the deadline."""
        self._lift()
        super().connection_lost(exc)

    def _lift(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
