"""What a job is asked to do, and what clients are told of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tinyml_cli.http_api.endpoints import Asked, Told

JobKind = Literal["profile", "convert", "c", "library", "page", "firmware", "infer"]
QueueState = Literal["queued", "running", "done", "failed", "cancelled"]

JOB_ID = r"^[0-9a-f]{16}$"
FILE_ID = r"^[0-9a-f]{64}$"
_NAME = r"^[^-][^/\\]*$"


class JobOrder(Asked):
    """What to make, and of what: a run of the served folder, or a model that was uploaded.

    The body, where there is one, is the model (or, with `run` and kind `infer`, the inputs).
    """

    kind: JobKind = Field(
        description="profile; convert (int8 .tflite); c (sources); library (Arduino, PlatformIO, CMake); "
        "page (for browsers); firmware; infer (answers to many inputs)"
    )
    run: str = Field(default="", max_length=200, description="the name of a run")
    model: str = Field(default="", pattern=rf"{FILE_ID}|^$", description="id of an uploaded file")
    name: str = Field(
        default="model.tflite",
        max_length=100,
        pattern=_NAME,
        description="of the body's file; its ending says what it is",
    )
    calibration: str = Field(
        default="random",
        pattern=rf"{FILE_ID}|^random$",
        description="of a .keras model: id of an uploaded .npz, or random",
    )
    inputs: str = Field(default="", pattern=rf"{FILE_ID}|^$", description="id of uploaded inputs to answer")
    board: str = Field(default="sim", max_length=100, description="of a profile or firmware")
    engine: Literal["aot", "tflm", "both", ""] = Field(default="", description="default: the board's own")
    library: Literal["arduino", "platformio", "cmake"] = "arduino"
    budget: str = Field(default="", max_length=300, description="of a profile, such as flash=900k,ms=200")


class ArtifactTold(Told):
    """A file that a job made."""

    name: str
    bytes: int
    sha256: str


class RefusalTold(Told):
    """Why a job failed."""

    what: str
    where: str
    next_step: str


class QueuedJob(Told):
    """A job in the queue."""

    id: str
    kind: JobKind
    state: QueueState
    order: JobOrder
    created_s: float = Field(description="seconds since 1970")
    started_s: float | None
    ended_s: float | None
    attempts: int = Field(description="more than 1: the server ended while it ran")
    error: RefusalTold | None
    result: Any = Field(description="what the command prints with --json")
    artifacts: list[ArtifactTold]


class QueueTold(Told):
    """Jobs, the newest first."""

    jobs: list[QueuedJob]


class JobNamed(Asked):
    """One job."""

    id: str = Field(pattern=JOB_ID)


class ArtifactNamed(Asked):
    """A file of a job."""

    id: str = Field(pattern=JOB_ID)
    name: str = Field(max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")


class JobsWanted(Asked):
    """Which jobs to list."""

    state: QueueState | None = None
    limit: int = Field(default=100, ge=1, le=1000)


class EventsWanted(Asked):
    """Which events of a job."""

    id: str = Field(pattern=JOB_ID)
    after: int = Field(default=0, ge=0, description="skip so many; also by Last-Event-ID")
