"""Endpoints of jobs and uploads."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from starlette.responses import FileResponse, StreamingResponse

from tinyml_cli.http_api import places
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told, Upload
from tinyml_cli.http_api.refusals import ConflictError, NotThereError
from tinyml_cli.serve import job_log
from tinyml_cli.serve.dispatcher import ARTIFACTS, LOG
from tinyml_cli.serve.orders import (
    ArtifactNamed,
    EventsWanted,
    JobNamed,
    JobOrder,
    JobsWanted,
    QueuedJob,
    QueueTold,
)
from tinyml_cli.serve.service import Service
from tinyml_cli.serve.uploads import UPLOAD_BYTES

_UPLOAD = Upload("application/octet-stream", UPLOAD_BYTES)


class FileNamed(Asked):
    """What an upload is."""

    name: str = Field(max_length=100, description="its ending says what it is: .tflite, .keras, .npz, .npy")


class FileKept(Told):
    """An upload, kept for a day."""

    id: str = Field(description="its SHA-256")
    bytes: int


def _upload(service: Service, asked: FileNamed, content: bytes) -> FileKept:
    return FileKept(id=service.uploads.add(asked.name, content), bytes=len(content))


def _order(service: Service, asked: JobOrder, content: bytes) -> QueuedJob:
    if content:
        known = "inputs" if asked.run or asked.model else "model"
        if getattr(asked, known):
            raise ConflictError(f"`{known}` is given twice", known, "Send the body, or name an upload.")
        name = "inputs.npz" if known == "inputs" and asked.name == "model.tflite" else asked.name
        asked = asked.model_copy(update={known: service.uploads.add(name, content), "name": name})
    service.sources.check(asked)
    return service.queue.add(asked)


def _list(service: Service, asked: JobsWanted) -> QueueTold:
    return QueueTold(jobs=service.queue.all(asked.state, asked.limit))


def _job(service: Service, asked: JobNamed) -> QueuedJob:
    return service.queue.find(asked.id)


def _delete(service: Service, asked: JobNamed) -> QueuedJob:
    job = service.queue.find(asked.id)
    if job.state in ("queued", "running"):
        service.dispatcher.cancel(job.id)
        return service.queue.find(job.id)
    service.dispatcher.clear(job.id)
    service.queue.forget(job.id)
    return job


def _artifact(service: Service, asked: ArtifactNamed) -> FileResponse:
    job = service.queue.find(asked.id)
    folder = service.dispatcher.place(job.id) / ARTIFACTS
    if asked.name not in [each.name for each in job.artifacts] or not (folder / asked.name).is_file():
        raise NotThereError(f"The job has no `{asked.name}`", "name", f"GET /v1/jobs/{job.id} lists them.")
    path: Path = places.inside(folder.resolve(), asked.name)
    return FileResponse(path, media_type="application/octet-stream", filename=asked.name)


def _events(service: Service, asked: EventsWanted) -> StreamingResponse:
    job = service.queue.find(asked.id)

    def ended() -> str:
        try:
            state = service.queue.find(job.id).state
        except NotThereError:
            return "forgotten"
        return "" if state in ("queued", "running") else state

    stream = job_log.texts(service.dispatcher.place(job.id) / LOG, asked.after, ended)
    return StreamingResponse(stream, media_type="text/event-stream")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/files",
        _upload,
        "Upload a model or arrays",
        takes=FileNamed,
        gives=FileKept,
        upload=_UPLOAD,
        status=201,
    ),
    Endpoint(
        "POST",
        "/v1/jobs",
        _order,
        "Queue a job; the body is a model, or empty",
        takes=JobOrder,
        gives=QueuedJob,
        upload=_UPLOAD,
        status=202,
    ),
    Endpoint("GET", "/v1/jobs", _list, "Jobs, the newest first", takes=JobsWanted, gives=QueueTold),
    Endpoint("GET", "/v1/jobs/{id}", _job, "A job", takes=JobNamed, gives=QueuedJob),
    Endpoint(
        "DELETE",
        "/v1/jobs/{id}",
        _delete,
        "Cancel a job, or forget one that has ended",
        takes=JobNamed,
        gives=QueuedJob,
    ),
    Endpoint("GET", "/v1/jobs/{id}/events", _events, "What a job says, as it says it", takes=EventsWanted),
    Endpoint("GET", "/v1/jobs/{id}/artifacts/{name}", _artifact, "A file of a job", takes=ArtifactNamed),
)
