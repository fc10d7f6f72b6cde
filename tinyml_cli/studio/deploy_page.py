"""Endpoints of the page Deploy: what a model costs, its files to download, and a board to flash."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field
from starlette.responses import FileResponse, Response

from tinyml_cli.boards.boards import board_names, load_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.manifest_sections import Model
from tinyml_cli.next_step import command_line
from tinyml_cli.outcomes.base import Whole
from tinyml_cli.profile.outcome import of_this_model
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.studio import steps
from tinyml_cli.studio.general import told
from tinyml_cli.studio.run_names import existing_run
from tinyml_cli.studio.studio import Studio
from tinyml_cli.studio.train_page import RunAsked
from tinyml_cli.studio.try_page import NO_OPTION, StepTold, known_board

Wanted = Literal["profile", "c-array", "library", "firmware", "flash"]

_LIBRARIES = "export/arduino"
_EXPORTS = ("export/aot", "export/tflm")
_PROGRAMS = ("firmware.elf", "firmware.bin", "firmware.hex", "page.html")
_BUDGET = r"[A-Za-z_]+=[0-9.]+k?(,[A-Za-z_]+=[0-9.]+k?)*|"


class BoardTold(Told):
    """A board that the model may run on."""

    name: str
    description: str
    kind: str
    flash_bytes: int | None
    ram_bytes: int | None
    problem: str = Field(description="why this computer cannot build for it, and what helps")
    following: str = Field(description="the next command before its firmware is there; empty: it is")


class Download(Told):
    """A file to take away."""

    path: str = Field(description="below the run")
    name: str
    bytes: int


class DeployTold(Told):
    """A run on its way to a board."""

    run: str
    task: str
    model: Whole[Model] | None
    model_bytes: int | None
    boards: list[BoardTold]
    c_array: list[Download]
    libraries: list[Download]
    programs: list[Download]


class DeployWanted(Asked):
    """What to make of a run."""

    run: str = Field(min_length=1, max_length=300)
    what: Wanted
    board: str = Field(default="sim", max_length=100)
    budget: str = Field(default="", max_length=300, pattern=f"^({_BUDGET})$", description="of a profile")
    port: str = Field(default="", max_length=200, pattern=NO_OPTION, description="of a board to flash")
    emulated: bool = Field(default=False, description="a model takes the place of the board to flash")


class CommandTold(Told):
    """What a command would be."""

    command: str


class FileAsked(Asked):
    """A file of a run."""

    run: str = Field(min_length=1, max_length=300)
    path: str = Field(min_length=1, max_length=500)


def _deploy(studio: Studio, asked: RunAsked) -> DeployTold:
    run = existing_run(studio, asked.run)
    manifest = run.manifest()
    int8 = manifest.artifacts.get(MODEL_INT8)
    exports = [path for name in _EXPORTS for path in sorted(run.file(name).glob("*"))]
    programs = [path for name in _PROGRAMS for path in sorted(run.file("firmware").glob(f"*/{name}"))]
    return DeployTold(
        run=asked.run,
        task=manifest.task,
        model=manifest.model,
        model_bytes=int8.bytes if int8 else None,
        boards=[_board(studio, run, name) for name in board_names()],
        c_array=list(_downloads(run, exports)),
        libraries=list(_downloads(run, sorted(run.file(_LIBRARIES).glob("*.zip")))),
        programs=list(_downloads(run, programs)),
    )


def _board(studio: Studio, run: Run, name: str) -> BoardTold:
    board = load_board(name)
    problem, following = "", ""
    try:
        words = steps.following(studio, run, board)
        following = command_line("tinyml", *words) if words else ""
    except TinymlError as error:
        problem = f"{error.what}. {error.next_step}"
    return BoardTold(
        name=name,
        description=board.description,
        kind=board.kind,
        flash_bytes=board.flash_bytes,
        ram_bytes=board.ram_bytes,
        problem=problem,
        following=following,
    )


def _downloads(run: Run, paths: list[Path]) -> Iterator[Download]:
    for path in paths:
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                inner = path.relative_to(run.path)
                of_board = f"{inner.parent.name}-" if inner.parts[0] == "firmware" else ""
                yield Download(path=inner.as_posix(), name=of_board + path.name, bytes=path.stat().st_size)


def _words(studio: Studio, asked: DeployWanted) -> tuple[str, ...]:
    """The command, as words behind `tinyml`."""
    run = existing_run(studio, asked.run)
    board = known_board(asked.board).name
    place = studio.named(run.path)
    archive = f"{place}/{_LIBRARIES}/{_library_name(run)}.zip"
    return {
        "profile": (
            "profile",
            place,
            "--board",
            board,
            *(["--budget", asked.budget] if asked.budget else []),
        ),
        "c-array": ("export-c-array", place),
        "library": ("export-library", place, "--for", "arduino", "--out", archive),
        "firmware": ("build", place, "--board", board),
        "flash": (
            "flash",
            place,
            "--board",
            board,
            *(["--port", asked.port] if asked.port else []),
            *(["--emulated"] if asked.emulated else []),
        ),
    }[asked.what]


def _library_name(run: Run) -> str:
    name = re.sub(r"\W+", "_", run.path.name, flags=re.ASCII).strip("_")
    return name or "model"


def _command(studio: Studio, asked: DeployWanted) -> CommandTold:
    return CommandTold(command=command_line("tinyml", *_words(studio, asked)))


def _make(studio: Studio, asked: DeployWanted) -> StepTold:
    run = existing_run(studio, asked.run)
    board = known_board(asked.board)
    words = _words(studio, asked)
    if asked.what in ("firmware", "flash"):
        earlier = steps.following(studio, run, board)
        earlier = None if earlier and earlier[0] == "build" else earlier
    else:
        earlier = steps.before_export(studio, run)
    if earlier is None and asked.what == "library":
        archive = studio.inside(words[-1])
        archive.unlink(missing_ok=True)  # an earlier one, which the command would not replace
        archive.parent.mkdir(parents=True, exist_ok=True)
    return StepTold(job=told(studio.jobs.start(*(earlier or words))), last=earlier is None)


def _download(studio: Studio, asked: FileAsked) -> Response:
    run = existing_run(studio, asked.run)
    path = studio.existing(f"{studio.named(run.path)}/{asked.path}")
    inner = PurePosixPath(asked.path)
    allowed = inner.parent.as_posix() in (*_EXPORTS, _LIBRARIES) or (
        inner.parts[0] == "firmware" and len(inner.parts) == 3 and inner.name in _PROGRAMS
    )
    if not allowed or not path.is_file():
        raise NotThereError(f"There is no `{asked.path[:80]}` to download", "path", "Reload the page.")
    name = f"{inner.parent.name}-{inner.name}" if inner.parts[0] == "firmware" else inner.name
    return FileResponse(path, media_type="application/octet-stream", filename=name)


def _c_array(studio: Studio, asked: RunAsked) -> Response:
    """What `export-c-array` wrote, in one archive."""
    run = existing_run(studio, asked.run)
    exports = [path for name in _EXPORTS for path in sorted(run.file(name).glob("*"))]
    paths = [run.file(each.path) for each in _downloads(run, exports)]
    if not paths:
        raise NotThereError("Nothing has been exported", asked.run, "Export it first.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.relative_to(run.file("export")).as_posix())
    name = f"{_library_name(run)}-c.zip"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content.getvalue(), media_type="application/zip", headers=headers)


class ProfileTold(Told):
    """The last profile of a run, as `tinyml profile --json` gives it."""

    profile: dict[str, object] | None


def _profile(studio: Studio, asked: RunAsked) -> ProfileTold:
    run = existing_run(studio, asked.run)
    return ProfileTold(profile=of_this_model(run, run.manifest()))


ENDPOINTS = (
    Endpoint("GET", "/api/deploy", _deploy, "A run on its way to a board", takes=RunAsked, gives=DeployTold),
    Endpoint("GET", "/api/deploy/profile", _profile, "Its last profile", takes=RunAsked, gives=ProfileTold),
    Endpoint("GET", "/api/deploy/file", _download, "A file to take away", takes=FileAsked),
    Endpoint("GET", "/api/deploy/c-array", _c_array, "The exported C, as a ZIP", takes=RunAsked),
    Endpoint(
        "POST",
        "/api/deploy/command",
        _command,
        "What a command would be",
        takes=DeployWanted,
        gives=CommandTold,
    ),
    Endpoint(
        "POST",
        "/api/deploy/make",
        _make,
        "Profile, export, build or flash",
        takes=DeployWanted,
        gives=StepTold,
    ),
)
