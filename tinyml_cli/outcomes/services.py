"""What `tinyml serve` prints."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Outcome


class ServiceOpened(Outcome):
    """A service that has begun; it serves until it is ended."""

    url: str
    folder: str
    port: int
    token: str = Field(description="to be sent as `Authorization: Bearer TOKEN`")
    workers: int = Field(description="jobs at once")
    memory_is_limited: bool = Field(description="whether this system limits the memory of jobs")
