"""What the studio refuses with a status of its own; every other TinymlError is 422."""

from __future__ import annotations

from tinyml_cli.errors import TinymlError


class NotThereError(TinymlError):
    """What is asked for does not exist (404)."""


class ConflictError(TinymlError):
    """It has been changed since the page showed it (409)."""


def status_of(error: TinymlError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, NotThereError):
        return 404
    return 409 if isinstance(error, ConflictError) else 422
