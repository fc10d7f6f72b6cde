"""Who may use the studio: its owner by the token, a phone by a ticket that is good once."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from tinyml_cli.http_api.guard import digest, is_same

Role = Literal["owner", "recorder"]

TICKET_S = 600.0
_SECRET_BYTES = 32
_MOST_SESSIONS = 100


@dataclass
class Access:
    """Token, tickets and sessions; all in memory, so that they end with the studio.

    Attributes:
        token: lets the owner in, any number of times.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))
    _tickets: dict[str, float] = field(default_factory=dict)
    _sessions: dict[str, Role] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ticket(self) -> str:
        """A new secret that lets one device record, once, for TICKET_S seconds."""
        ticket = secrets.token_urlsafe(_SECRET_BYTES)
        now = time.monotonic()
        with self._lock:
            self._tickets = {key: end for key, end in self._tickets.items() if end > now}
            self._tickets[digest(ticket)] = now + TICKET_S
        return ticket

    def enter(self, secret: str) -> tuple[str, Role] | None:
        """The session that a token or a ticket opens, and its role; None where it opens none."""
        with self._lock:
            if self._is_token(secret):
                role: Role = "owner"
            elif self._tickets.pop(digest(secret), 0.0) > time.monotonic():
                role = "recorder"
            else:
                return None
            session = secrets.token_urlsafe(_SECRET_BYTES)
            while len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[digest(session)] = role
            return session, role

    def role(self, session: str) -> Role | None:
        """The role of a session; None where there is no such."""
        with self._lock:
            return self._sessions.get(digest(session))

    def role_of_token(self, token: str) -> Role | None:
        """The role of a program that sends the token with each request."""
        return "owner" if self._is_token(token) else None

    def _is_token(self, secret: str) -> bool:
        return is_same(secret, self.token)
