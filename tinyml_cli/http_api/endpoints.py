"""The rows of a table of endpoints: what each takes, gives, and who may call it.

An endpoint is a plain function of the application and of a model with what was asked; it runs in a thread and
returns a model, or a response of its own. All else is done here, once, for every row: bounds of uploads,
validation, refusals as JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tinyml_cli import defect, system_errors
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import status_of

JSON_BYTES = 1 << 20
BODY_S = 120.0
"""How long a body may take to arrive."""


class Asked(BaseModel):
    """What a page asks with: a query of GET, a JSON body of the others, a query beside an upload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(BaseModel):
    """What a page is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Upload:
    """A body that is no JSON.

    Attributes:
        media_type: as OpenAPI names it.
        most_bytes: larger ones are refused before they are read to the end.
    """

    media_type: str
    most_bytes: int


@dataclass(frozen=True)
class Endpoint:
    """A row of the table.

    Attributes:
        path: may hold names in braces; their values join the query.
        answer: called with the application, then with what it `takes`, then with the bytes of an upload.
        summary: a line for the OpenAPI document.
        takes: model of the query or the body.
        gives: model of the answer; None where that is a file or a stream.
        status: of an answer that is no refusal.
        json_bytes: the largest body of JSON.
        role: the least that a session must be; an owner may do all that a recorder may.
    """

    method: str
    path: str
    answer: Callable[..., Any]
    summary: str
    takes: type[Asked] | None = None
    gives: type[Told] | None = None
    upload: Upload | None = None
    role: str = "owner"
    status: int = 200
    json_bytes: int = JSON_BYTES

    @property
    def takes_query(self) -> bool:
        """Whether `takes` comes with the address rather than as a body."""
        return self.method in ("GET", "DELETE") or self.upload is not None


class _BodyTooLargeError(Exception):
    """A body is larger than its endpoint takes."""


def refusal(status: int, what: str, where: str = "", next_step: str = "") -> JSONResponse:
    """A refusal, in the form of every other."""
    return JSONResponse({"error": {"what": what, "where": where, "next_step": next_step}}, status)


async def respond(application: Any, endpoint: Endpoint, request: Request) -> Response:
    """Answers a request by a row of the table, whatever it brings."""
    try:
        arguments = await _arguments(endpoint, request)
        told = await run_in_threadpool(endpoint.answer, application, *arguments)
    except _BodyTooLargeError:
        most = endpoint.upload.most_bytes if endpoint.upload else endpoint.json_bytes
        return refusal(413, f"The upload is larger than {most >> 20} MB", endpoint.path, "Send less at once.")
    except TimeoutError:
        return refusal(408, f"The body did not arrive within {BODY_S:.0f} s", endpoint.path, "Send it again.")
    except ValidationError as error:
        return _invalid(error)
    except ClientDisconnect:
        return Response(status_code=400)
    except TinymlError as error:
        return JSONResponse({"error": error.as_dict()}, status_of(error))
    except Exception as error:
        return _failed(error)
    if isinstance(told, Response):
        return told
    return Response(told.model_dump_json(), endpoint.status, media_type="application/json")


async def _arguments(endpoint: Endpoint, request: Request) -> list[Any]:
    content = b""
    if endpoint.upload or not endpoint.takes_query:
        content = await _body(request, endpoint.upload.most_bytes if endpoint.upload else endpoint.json_bytes)
    arguments: list[Any] = []
    if endpoint.takes is not None:
        if endpoint.takes_query:
            asked = {**request.query_params, **request.path_params}
            arguments.append(endpoint.takes.model_validate_strings(asked))
        else:
            arguments.append(endpoint.takes.model_validate_json(content))
    if endpoint.upload:
        arguments.append(content)
    return arguments


async def _body(request: Request, most_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most_bytes:
        raise _BodyTooLargeError
    parts, size = [], 0
    async with asyncio.timeout(BODY_S):
        async for part in request.stream():
            size += len(part)
            if size > most_bytes:
                raise _BodyTooLargeError
            parts.append(part)
    return b"".join(parts)


def _invalid(error: ValidationError) -> JSONResponse:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return refusal(422, f"{where or 'The request'}: {first['msg']}", where, "See the OpenAPI document.")


def _failed(error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and (refused := system_errors.explain(error)):
        return JSONResponse({"error": refused.as_dict()}, 422)
    explained = defect.explain(error)
    console.error(explained)
    return JSONResponse({"error": explained.as_dict()}, 500)
