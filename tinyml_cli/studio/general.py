"""Endpoints that every page uses: what the studio is, what happens in it, and the commands it runs."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.responses import StreamingResponse

from tinyml_cli import __version__
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.studio import page_files
from tinyml_cli.studio.jobs import Job, JobState
from tinyml_cli.studio.studio import Studio

_LONGEST_STREAM_S = 3600.0


class StudioTold(Told):
    """The studio itself."""

    folder: str = Field(description="its name")
    version: str = Field(description="of tinyml")
    shared: bool = Field(description="whether phones can reach it")
    charts: bool = Field(description="whether uPlot is there")


class EventsAsked(Asked):
    """How long a page listens before its browser asks again."""

    seconds: float = Field(default=_LONGEST_STREAM_S, ge=0, le=_LONGEST_STREAM_S)


class ProgressTold(Told):
    """How far a command has come."""

    what: str
    done: int
    total: int = Field(description="0: not known")
    note: str


class JobTold(Told):
    """A command that the studio runs or has run."""

    number: int
    command: str = Field(description="as it is typed")
    state: JobState
    started_s: float = Field(description="seconds since 1970")
    lines: list[str] = Field(description="its last lines for people")
    progress: ProgressTold | None
    result: Any = Field(description="what it prints with --json; null until then")


class JobsTold(Told):
    """All of them, the newest first."""

    jobs: list[JobTold]


class JobAsked(Asked):
    """One of the commands."""

    number: int = Field(ge=1)


def told(job: Job) -> JobTold:
    """A command as pages are told of it."""
    return JobTold(
        number=job.number,
        command=job.command,
        state=job.state,
        started_s=job.started_s,
        lines=list(job.lines),
        progress=ProgressTold(**job.progress._asdict()) if job.progress else None,
        result=job.result,
    )


def _studio(studio: Studio) -> StudioTold:
    return StudioTold(
        folder=studio.root.name or str(studio.root),
        version=__version__,
        shared=bool(studio.phone_origin),
        charts=page_files.has_charts(),
    )


def _events(studio: Studio, asked: EventsAsked) -> StreamingResponse:
    return StreamingResponse(studio.feed.texts(asked.seconds), media_type="text/event-stream")


def _jobs(studio: Studio) -> JobsTold:
    return JobsTold(jobs=[told(job) for job in studio.jobs.all()])


def _stop(studio: Studio, asked: JobAsked) -> JobTold:
    return told(studio.jobs.stop(asked.number))


ENDPOINTS = (
    Endpoint("GET", "/api/studio", _studio, "What this studio is", gives=StudioTold),
    Endpoint("GET", "/api/events", _events, "What happens, as it happens", takes=EventsAsked),
    Endpoint("GET", "/api/jobs", _jobs, "Commands that run or ran", gives=JobsTold),
    Endpoint("POST", "/api/jobs/stop", _stop, "Stop a command", takes=JobAsked, gives=JobTold),
)
