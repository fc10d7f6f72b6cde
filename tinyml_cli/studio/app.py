"""The studio as an ASGI application: the table of endpoints, and the files of the page."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tinyml_cli.http_api import openapi
from tinyml_cli.http_api.endpoints import Endpoint, refusal, respond
from tinyml_cli.http_api.guard import RequestGuard
from tinyml_cli.studio import (
    data_changes,
    data_page,
    deploy_page,
    fleet_page,
    general,
    page_files,
    phone,
    take_page,
    train_page,
    try_page,
)
from tinyml_cli.studio.access import Role
from tinyml_cli.studio.entrance import API, ENTRANCE, admit, cookie_name, is_page
from tinyml_cli.studio.studio import Studio

ENDPOINTS: tuple[Endpoint, ...] = (
    *general.ENDPOINTS,
    *data_page.ENDPOINTS,
    *data_changes.ENDPOINTS,
    *take_page.ENDPOINTS,
    *phone.ENDPOINTS,
    *train_page.ENDPOINTS,
    *try_page.ENDPOINTS,
    *deploy_page.ENDPOINTS,
    *fleet_page.ENDPOINTS,
)
"""Every endpoint but the entrance, the OpenAPI document and the files of the page."""

PAGES = ("data", "train", "try", "deploy", "fleet")
"""What the address of a page may be; each is a module `web/NAME.mjs`."""

_ENTRANCE_BYTES = 1000


def application(studio: Studio, hosts: Collection[str]) -> ASGIApp:
    """The whole studio.

    Args:
        studio: what it shows.
        hosts: its own addresses, as `Host` names them.
    """
    routes = [
        Route("/", lambda request: RedirectResponse(f"/{PAGES[0]}", 303)),
        *(Route(f"/{name}", _shell) for name in (*PAGES, "record")),
        Route("/web/{name}", _web),
        Route(ENTRANCE, functools.partial(_enter, studio), methods=["POST"]),
        Route("/api/openapi.json", _openapi),
        *(
            Route(each.path, functools.partial(_answer, studio, each), methods=[each.method])
            for each in ENDPOINTS
        ),
    ]
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _no_such})
    letting_in = functools.partial(admit, studio.access, _may(ENDPOINTS))
    return RequestGuard(inner, hosts.__contains__, is_page, letting_in)


def _may(endpoints: Sequence[Endpoint]) -> functools.partial[bool]:
    recording = frozenset((each.method, each.path) for each in endpoints if each.role == "recorder")
    return functools.partial(_is_allowed, recording)


def _is_allowed(recording: frozenset[tuple[str, str]], role: Role, method: str, path: str) -> bool:
    return role == "owner" or ("GET" if method == "HEAD" else method, path) in recording


async def _answer(studio: Studio, endpoint: Endpoint, request: Request) -> Response:
    return await respond(studio, endpoint, request)


async def _openapi(request: Request) -> Response:
    return JSONResponse(openapi.document("tinyml studio", ENDPOINTS))


async def _shell(request: Request) -> Response:
    return HTMLResponse(page_files.shell(request.url.path.strip("/")))


async def _web(request: Request) -> Response:
    path = page_files.files().get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    # Asked for again each time, and answered by "not changed": an upgrade shows at once.
    return FileResponse(path, media_type=page_files.media_type(path), headers={"cache-control": "no-cache"})


async def _enter(studio: Studio, request: Request) -> Response:
    """Makes a session of the token, or of a ticket, that the body is."""
    secret = bytearray()
    async for part in request.stream():
        secret += part
        if len(secret) > _ENTRANCE_BYTES:
            break
    found = studio.access.enter(secret[:_ENTRANCE_BYTES].decode("utf-8", "replace"))
    if found is None:
        return refusal(401, "This link has been used, or is too old", "", "Ask the studio for a new one.")
    session, role = found
    response = JSONResponse({"role": role})
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_name(request), session, secure=secure, httponly=True, samesite="strict")
    return response


async def _no_such(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    what = "There is no such page" if status == 404 else "This cannot be done here"
    if request.url.path.startswith(API):
        return refusal(status, what, request.url.path, "See /api/openapi.json.")
    return Response(f"{what}.\n", status, media_type="text/plain")
