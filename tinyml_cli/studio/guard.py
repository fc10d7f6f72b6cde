"""Stands before every request: the host, the origin, the session, and the headers of every answer.

A page of another site can make a browser send requests to 127.0.0.1, and can give its own name that address
(DNS rebinding). The first is refused by the origin, the second by the host; there is no CORS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyml_cli.studio.access import Access, Role
from tinyml_cli.studio.endpoints import refusal

API = "/api/"
ENTRANCE = "/api/enter"
_SAFE_METHODS = ("GET", "HEAD")

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


def cookie_name(request: Request) -> str:
    """Cookies know no port: two studios on one computer keep theirs apart by the name."""
    return f"tinyml_studio_{request.url.port or 0}"


class RequestGuard:
    """The ASGI application before the one that answers.

    Args:
        app: answers what is let through; finds the role in `request.state.role`.
        access: knows the sessions.
        hosts: values of `Host` that are the studio's own, such as `127.0.0.1:8321`.
        may: whether a role may call (method, path).
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        hosts: Collection[str],
        may: Callable[[Role, str, str], bool],
    ) -> None:
        self._app = app
        self._access = access
        self._hosts = hosts
        self._may = may

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":  # nothing here speaks WebSocket
            return
        request = Request(scope)
        refused = self._refused(request)
        await (refused or self._app)(scope, receive, _with_headers(send))

    def _refused(self, request: Request) -> Response | None:
        """The answer to a request that is not let through."""
        host = request.headers.get("host", "").lower()
        if host not in self._hosts:
            return PlainTextResponse("This is not the address of the studio.\n", 421)
        if request.method in _SAFE_METHODS and not request.url.path.startswith(API):
            return None  # the page itself and its scripts, which hold no secret
        if not _is_own(request, host):
            return refusal(403, "A page of another site may not use the studio")
        if request.url.path == ENTRANCE:
            return None
        role = self._role(request)
        if role is None:
            return refusal(
                401,
                "You are not signed in to this studio",
                "",
                "Open the link that `tinyml studio` printed; on a phone, scan a new QR code.",
            )
        if not self._may(role, request.method, request.url.path):
            return refusal(403, "A phone may only record", "", "Use the studio on the computer itself.")
        request.state.role = role
        return None

    def _role(self, request: Request) -> Role | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._access.role_of_token(token.strip())
        session = request.cookies.get(cookie_name(request), "")
        # A browser says where a change comes from; what says nothing has to bring the token.
        if request.method not in _SAFE_METHODS and "origin" not in request.headers:
            return None
        return self._access.role(session)


def _is_own(request: Request, host: str) -> bool:
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"{request.url.scheme}://{host}":
        return False
    return request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
