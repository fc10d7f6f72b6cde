"""Who is let in to the studio: the owner by token or cookie, a phone by its cookie to what it may do."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tinyml_cli.http_api.endpoints import refusal
from tinyml_cli.http_api.guard import SAFE_METHODS, bearer_token, method_of
from tinyml_cli.studio.access import Access, Role

API = "/api/"
ENTRANCE = "/api/enter"


def cookie_name(asked: HTTPConnection) -> str:
    """Cookies know no port: two studios on one computer keep theirs apart by the name."""
    return f"tinyml_studio_{asked.url.port or 0}"


def is_page(asked: HTTPConnection) -> bool:
    """Whether the page itself or its scripts are asked for, which hold no secret."""
    return method_of(asked) in SAFE_METHODS and not asked.url.path.startswith(API)


def admit(access: Access, may: Callable[[Role, str, str], bool], asked: HTTPConnection) -> Response | None:
    """The refusal of a request; None where it is let in.

    Args:
        access: knows the sessions.
        may: whether a role may call (method, path).
        asked: the request.
    """
    if asked.url.path == ENTRANCE:
        return None
    role = _role(access, asked)
    if role is None:
        return refusal(
            401,
            "You are not signed in to this studio",
            "",
            "Open the link that `tinyml studio` printed; on a phone, scan a new QR code.",
        )
    if not may(role, method_of(asked), asked.url.path):
        return refusal(403, "A phone may only record", "", "Use the studio on the computer itself.")
    return None


def _role(access: Access, asked: HTTPConnection) -> Role | None:
    if (token := bearer_token(asked)) is not None:
        return access.role_of_token(token)
    session = asked.cookies.get(cookie_name(asked), "")
    # A browser says where a change comes from; what says nothing has to bring the token.
    if method_of(asked) not in SAFE_METHODS and "origin" not in asked.headers:
        return None
    return access.role(session)
