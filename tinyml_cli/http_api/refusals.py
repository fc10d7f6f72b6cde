"""What is refused with a status of its own; every other TinymlError is 422."""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.errors import TinymlError


class RefusedError(TinymlError):
    """Refused with the status of its class."""

    status: ClassVar[int]


class NotThereError(RefusedError):
    """What is asked for does not exist."""

    status = 404


class ConflictError(RefusedError):
    """It has been changed since it was read, or is in another state."""

    status = 409


class BusyError(RefusedError):
    """More is going on than the server takes; it may be asked again later."""

    status = 429


class NoSpaceError(RefusedError):
    """There is no room to store it."""

    status = 507


def status_of(error: TinymlError) -> int:
    """The HTTP status of a refusal."""
    return error.status if isinstance(error, RefusedError) else 422
