"""The service as an ASGI application: the table of endpoints, the stream, and who is let in."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from tinyml_cli.http_api import openapi
from tinyml_cli.http_api.endpoints import Endpoint, refusal, respond
from tinyml_cli.http_api.guard import RequestGuard, bearer_token, is_same
from tinyml_cli.serve import job_endpoints, model_endpoints, streaming
from tinyml_cli.serve.service import Service

ENDPOINTS: tuple[Endpoint, ...] = (*model_endpoints.ENDPOINTS, *job_endpoints.ENDPOINTS)
"""Every endpoint but the OpenAPI document and the WebSocket."""

PUBLIC = ("/healthz", "/openapi.json")


def application(service: Service, names: Collection[str]) -> ASGIApp:
    """The whole service.

    Args:
        service: what it serves.
        names: by which clients may call this computer, beside its addresses.
    """
    routes = [
        Route("/openapi.json", _openapi),
        *(
            Route(each.path, functools.partial(_answer, service, each), methods=[each.method])
            for each in ENDPOINTS
        ),
        WebSocketRoute("/v1/stream", functools.partial(streaming.stream, service)),
    ]
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _no_such})
    is_own_host = functools.partial(is_own, frozenset(name.lower() for name in names))
    return RequestGuard(inner, is_own_host, _is_public, functools.partial(_admit, service))


def is_own(names: Collection[str], host: str) -> bool:
    """Whether a `Host` is this server's: one of its names, or an address, which nobody can rebind.

    The port may be another one: of a container, or of a tunnel.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        ipaddress.ip_address(name.strip("[]"))
        return True
    except ValueError:
        return name in names


def _is_public(asked: HTTPConnection) -> bool:
    return asked.scope["type"] == "http" and asked.url.path in PUBLIC


def _admit(service: Service, asked: HTTPConnection) -> Response | None:
    if is_same(bearer_token(asked) or "", service.token):
        return None
    return refusal(
        401,
        "The token is missing or wrong",
        "authorization",
        "Send the header `Authorization: Bearer TOKEN` with the token that `tinyml serve` printed.",
    )


async def _answer(service: Service, endpoint: Endpoint, request: Request) -> Response:
    return await respond(service, endpoint, request)


async def _openapi(request: Request) -> Response:
    return JSONResponse(openapi.document("tinyml serve", ENDPOINTS))


async def _no_such(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    what = "There is no such endpoint" if status == 404 else "This cannot be done here"
    return refusal(status, what, request.url.path[:200], "See /openapi.json.")
