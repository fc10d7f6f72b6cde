"""Stands before every request: the host, the origin, who asks, and the headers of every answer.

A page of another site can make a browser send requests to 127.0.0.1, and can give its own name that address
(DNS rebinding). The first is refused by the origin, the second by the host; there is no CORS.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyml_cli.http_api.endpoints import refusal

SAFE_METHODS = ("GET", "HEAD")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(self), accelerometer=(self), gyroscope=(self)",
    "cache-control": "no-store",
}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


class RequestGuard:
    """The ASGI application before the one that answers.

    Args:
        app: answers what is let through.
        is_own_host: whether a `Host`, in lower case, is the server's own, such as `127.0.0.1:8321`.
        is_public: whether a request is answered whoever sends it, and wherever it comes from.
        admit: the refusal of a request of another kind; None lets it through.
    """

    def __init__(
        self,
        app: ASGIApp,
        is_own_host: Callable[[str], bool],
        is_public: Callable[[HTTPConnection], bool],
        admit: Callable[[HTTPConnection], Response | None],
    ) -> None:
        self._app = app
        self._is_own_host = is_own_host
        self._is_public = is_public
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            return
        refused = self._refused(HTTPConnection(scope))
        await (refused or self._app)(scope, receive, _with_headers(send))

    def _refused(self, asked: HTTPConnection) -> Response | None:
        """The answer to a request that is not let through."""
        host = asked.headers.get("host", "").lower()
        if not self._is_own_host(host):
            return PlainTextResponse("This is not the address of this server.\n", 421)
        if self._is_public(asked):
            return None
        if not _is_own(asked, host):
            return refusal(403, "A page of another site may not ask here")
        return self._admit(asked)


def method_of(asked: HTTPConnection) -> str:
    """The method of a request; a WebSocket begins with GET."""
    return str(asked.scope.get("method", "GET"))


def bearer_token(asked: HTTPConnection) -> str | None:
    """The token that a program sends with each request; None where it sends none."""
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def digest(secret: str) -> str:
    """SHA-256 of a secret, as it is stored and compared."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def is_same(secret: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing of them."""
    return hmac.compare_digest(digest(secret), digest(other))


def _is_own(asked: HTTPConnection, host: str) -> bool:
    origin = asked.headers.get("origin")
    scheme = _HTTP_SCHEMES.get(asked.url.scheme, asked.url.scheme)
    if origin is not None and origin.lower() != f"{scheme}://{host}":
        return False
    return asked.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
