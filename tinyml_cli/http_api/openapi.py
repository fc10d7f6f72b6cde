"""The OpenAPI document of a table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tinyml_cli import __version__
from tinyml_cli.http_api.endpoints import Endpoint

_REFUSALS = {
    "401": "no token, or an old one",
    "403": "another site asks, or the session may only record",
    "404": "it does not exist",
    "408": "the body did not arrive in time",
    "409": "it has been changed since it was read, or is in another state",
    "413": "the upload is too large",
    "422": "it is not valid, or was refused; the text says why",
    "429": "more is going on than the server takes; ask again later",
    "507": "there is no room to store it",
}


def document(title: str, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """OpenAPI 3.1 of these endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Refusal": _refusal()}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": endpoint.summary, "responses": _responses(endpoint, schemas)}
    if endpoint.takes is not None and endpoint.takes_query:
        schema = endpoint.takes.model_json_schema()
        required = schema.get("required", [])
        in_path = set(re.findall(r"{(\w+)}", endpoint.path))
        found["parameters"] = [
            {
                "name": name,
                "in": "path" if name in in_path else "query",
                "required": name in required,
                "schema": _plain(inner),
            }
            for name, inner in schema.get("properties", {}).items()
        ]
    elif endpoint.takes is not None:
        found["requestBody"] = _body("application/json", _named(endpoint.takes, schemas))
    if endpoint.upload is not None:
        found["requestBody"] = _body(endpoint.upload.media_type, {"type": "string", "format": "binary"})
    return found


def _responses(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    refused = {
        status: {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        }
        for status, text in _REFUSALS.items()
    }
    if endpoint.gives is None:
        return {str(endpoint.status): {"description": "a file or a stream"}, **refused}
    content = {"application/json": {"schema": _named(endpoint.gives, schemas)}}
    answer = {"description": endpoint.gives.__doc__ or "", "content": content}
    return {str(endpoint.status): answer, **refused}


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _named(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A field of a query; one that may be absent is no null in an address."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _refusal() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("what", "where", "next_step")}
    error = {"type": "object", "properties": texts, "required": list(texts)}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}
