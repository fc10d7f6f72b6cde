"""Endpoints of the server itself, its models, and online inference."""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from tinyml_cli import __version__, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.serve import job_limits
from tinyml_cli.serve.answers import Int8Array, ServedModel, served
from tinyml_cli.serve.service import Service
from tinyml_cli.serve.uploads import UPLOAD_BYTES

_MOST_INPUTS = 256
_INFER_BYTES = 16 << 20


class Health(Told):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str


class ServerTold(Told):
    """The server, its limits, and its queue."""

    version: str
    workers: int
    limits: dict[str, int] = Field(description="of each job")
    memory_is_limited: bool
    note: str = Field(description="what this system does not limit; empty: nothing")
    upload_bytes: int = Field(description="the largest upload")
    jobs: dict[str, int] = Field(description="state -> jobs")


class ModelTold(Told):
    """A run that is served."""

    name: str
    task: str
    labels: list[str]
    input_shape: list[int]
    sha256: str = Field(description="of the int8 model")
    bytes: int
    problem: str = Field(description="why it cannot be asked; empty: it can")


class ModelsTold(Told):
    """The runs of the served folder."""

    models: list[ModelTold]


class InputFile(Asked):
    """A sound, picture, stroke or recording."""

    name: str = Field(max_length=100, description="its ending says what it is, such as clip.wav")
    base64: str


class InferAsked(Asked):
    """Inputs for a model: arrays of real values, arrays of int8, or files; one of the three."""

    model: str = Field(max_length=200, description="the name of a run")
    runtime: Literal["c", "litert"] = Field(
        default="c", description="c: the very C of the boards, in a process of its own; litert: LiteRT"
    )
    inputs: list[Any] = Field(default=[], max_length=_MOST_INPUTS, description="arrays of the input's shape")
    int8: list[Any] = Field(default=[], max_length=_MOST_INPUTS, description="the same, quantized")
    files: list[InputFile] = Field(default=[], max_length=_MOST_INPUTS)


class AnswerTold(Told):
    """What the model makes of an input."""

    label: str | None = Field(description="of the highest score; null without labels")
    score: float | None
    scores: dict[str, float]
    values: list[float] = Field(description="outputs as real values")
    int8: list[int] = Field(description="outputs as the board has them")


class InferTold(Told):
    """The answers, in the order of the inputs."""

    model: str
    sha256: str = Field(description="of the int8 model")
    runtime: str
    ms: float = Field(description="of all inferences")
    answers: list[AnswerTold]


def _health(service: Service) -> Health:
    service.queue.counts()
    return Health(version=__version__)


def _server(service: Service) -> ServerTold:
    return ServerTold(
        version=__version__,
        workers=service.dispatcher.workers,
        limits=service.dispatcher.limits.as_dict(),
        memory_is_limited=job_limits.enforces_memory(),
        note=job_limits.statement(),
        upload_bytes=UPLOAD_BYTES,
        jobs=service.queue.counts(),
    )


def _models(service: Service) -> ModelsTold:
    return ModelsTold(models=[_model(service, name) for name in service.sources.names()])


def _model(service: Service, name: str) -> ModelTold:
    task, labels = "", []
    try:
        run = service.sources.run(name)
        manifest = run.manifest()
        task, labels = manifest.task, list(manifest.labels)
        model = served(run)
    except (TinymlError, OSError) as error:
        problem = str(error)
        return ModelTold(
            name=name, task=task, labels=labels, input_shape=[], sha256="", bytes=0, problem=problem
        )
    return ModelTold(
        name=name,
        task=task,
        labels=labels,
        input_shape=list(model.shape),
        sha256=model.sha256,
        bytes=len(model.flatbuffer),
        problem="",
    )


def _infer(service: Service, asked: InferAsked) -> InferTold:
    model = served(service.sources.run(asked.model))
    inputs = _inputs(model, asked)
    if asked.runtime == "litert":
        started_s = time.perf_counter()
        outputs, runtime = model.by_litert(inputs), "LiteRT"
    else:
        with service.boards.lent(model.run) as link:
            started_s = time.perf_counter()
            outputs, runtime = model.by_firmware(link, inputs), "C, engine aot, as boards run it"
    ms = (time.perf_counter() - started_s) * 1000
    answers = [AnswerTold(**each) for each in model.told(outputs)]
    return InferTold(
        model=asked.model, sha256=model.sha256, runtime=runtime, ms=round(ms, 3), answers=answers
    )


def _inputs(model: ServedModel, asked: InferAsked) -> Int8Array:
    given = [bool(asked.inputs), bool(asked.int8), bool(asked.files)]
    if sum(given) != 1:
        raise TinymlError(
            "Give inputs, int8 or files, and one of them", "inputs", "See the OpenAPI document."
        )
    if asked.files:
        return np.concatenate([_of_file(model, each) for each in asked.files])
    try:
        values = np.array(asked.inputs or asked.int8, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise TinymlError(
            "The inputs are no arrays of numbers of one shape", "inputs", f"Send [n, {model.shape}]."
        ) from error
    if asked.int8:
        if ((values != np.round(values)) | (np.abs(values + 0.5) > 128)).any():
            raise TinymlError("`int8` has a value outside -128 to 127", "int8", "Send whole numbers there.")
        values = values.astype(np.int8)
    return model.of_values(values)


def _of_file(model: ServedModel, given: InputFile) -> Int8Array:
    try:
        content = base64.b64decode(given.base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TinymlError("`base64` is not that", given.name[:100], "Encode the file's bytes.") from error
    suffix = Path(given.name).suffix
    with temporary.folder("infer") as folder:
        path = Path(folder) / f"input{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        path.write_bytes(content)
        try:
            return model.of_file(path)
        except TinymlError as error:
            advice = "Send a file of the kind that the model was trained on."
            raise TinymlError(error.what.replace(path.name, given.name), given.name, advice) from error


ENDPOINTS = (
    Endpoint("GET", "/healthz", _health, "Whether the server answers", gives=Health),
    Endpoint("GET", "/v1/server", _server, "The server, its limits and its queue", gives=ServerTold),
    Endpoint("GET", "/v1/models", _models, "The runs that are served", gives=ModelsTold),
    Endpoint(
        "POST",
        "/v1/infer",
        _infer,
        "Answers of a model, at once",
        takes=InferAsked,
        gives=InferTold,
        json_bytes=_INFER_BYTES,
    ),
)
