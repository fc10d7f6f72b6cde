"""Endpoints of the page Try: the run's board in the browser or beside it, its threshold in hours of audio."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from pydantic import Field, ValidationError
from starlette.responses import Response

from tinyml_cli import registry
from tinyml_cli.boards.boards import Board, board_names, load_board
from tinyml_cli.build import page
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.next_step import command_line
from tinyml_cli.outcomes.streams import EvaluatedStream
from tinyml_cli.pipeline import REPLAY_CLIPS_PER_LABEL
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.run import Run
from tinyml_cli.studio import steps, trainings
from tinyml_cli.studio.general import JobTold, told
from tinyml_cli.studio.run_names import existing_run
from tinyml_cli.studio.studio import Studio
from tinyml_cli.studio.train_page import RunAsked
from tinyml_cli.tasks.anomaly.read import NORMAL
from tinyml_cli.tasks.kws.stream_report import STREAM

BROWSER = "browser"
NO_OPTION = "^([^-].*)?$"
"""What cannot be taken for an option of a command."""


Keeps = Literal["word", "sound", "picture", "motion", "strokes"]
_OTHER = "other"
"""Any folder that is no word of the model holds what is none."""
_NO_WORDS = ("silence", "unknown")


class ThresholdFigures(Told):
    """What a recogniser does at one threshold, in hours of audio."""

    threshold: float
    false_accepts: int
    fa_per_hour: float
    recall: float | None


class HoursTold(Told):
    """What the last evaluation of hours of audio found."""

    hours: float
    words: int = Field(description="that were said")
    note: str
    points: list[ThresholdFigures]


class TryTold(Told):
    """A run that can be tried."""

    run: str
    task: str
    labels: list[str]
    senses: list[str] = Field(description="microphone, camera, motion")
    following: str = Field(description="the next command before the page is there; empty: it is there")
    problem: str = Field(description="why it cannot be made on this computer, and what helps")
    listens: bool = Field(description="whether hours of audio can be evaluated")
    recognizer: RecognizerSettings | None
    hours: HoursTold | None
    folder: str = Field(description="where wrong examples go")
    keeps: Keeps | None = Field(description="what of a wrong report is kept as an example")
    truths: list[str] = Field(description="labels that it may be kept under")
    boards: list[str] = Field(description="that can be watched")


class TowardsAsked(Asked):
    """A run, and the board that it is made for."""

    run: str = Field(min_length=1, max_length=300)
    board: str = Field(default=BROWSER, max_length=100)


class StepTold(Told):
    """The command that was started; null where the firmware is there."""

    job: JobTold | None
    last: bool = Field(default=True, description="whether it is what was asked for, not a step before")


class ListenAsked(Asked):
    """How much audio, and what is allowed there."""

    run: str = Field(min_length=1, max_length=300)
    hours: float = Field(default=1.0, gt=0, le=24)
    max_fa_per_hour: float | None = Field(
        default=None, gt=0, le=1000, description="choose the threshold by it"
    )


class WatchAsked(Asked):
    """A board to watch, and what it is fed."""

    run: str = Field(min_length=1, max_length=300)
    board: str = Field(max_length=100)
    feed: Literal["own", "microphone", "camera", "replay"] = "own"
    port: str = Field(default="", max_length=200, pattern=NO_OPTION)


def known_board(name: str) -> Board:
    """A board by name.

    Raises:
        NotThereError: there is none.
    """
    if name not in board_names():
        raise NotThereError(
            f"There is no board `{name[:80]}`", "board", f"Boards: {', '.join(board_names())}."
        )
    return load_board(name)


def _try(studio: Studio, asked: RunAsked) -> TryTold:
    run = existing_run(studio, asked.run)
    manifest = run.manifest()
    problem, following = "", ""
    try:
        words = steps.following(studio, run, load_board(BROWSER))
        following = command_line("tinyml", *words) if words else ""
    except TinymlError as error:
        problem = f"{error.what}. {error.next_step}"
    listens = manifest.features is not None and manifest.anomaly is None
    return TryTold(
        run=asked.run,
        task=manifest.task,
        labels=manifest.labels,
        senses=page.senses(manifest),
        following=following,
        problem=problem,
        listens=listens,
        recognizer=manifest.recognizer if listens else None,
        hours=_hours(run, manifest) if listens else None,
        folder=_folder(studio, manifest),
        keeps=_keeps(manifest),
        truths=_truths(run, manifest),
        boards=[name for name in board_names() if name != BROWSER],
    )


def _hours(run: Run, manifest: Manifest) -> HoursTold | None:
    if not run.is_fresh(manifest, STREAM):
        return None
    try:
        found = EvaluatedStream.model_validate(run.read_json(manifest, STREAM))
    except ValidationError:  # of another version
        return None
    points = [
        ThresholdFigures(
            threshold=each.threshold,
            false_accepts=each.false_accepts,
            fa_per_hour=each.fa_per_hour,
            recall=None if each.frr is None else 1 - each.frr,
        )
        for each in found.det
    ]
    return HoursTold(hours=found.hours, words=found.false_rejects.of, note=found.note, points=points)


def _folder(studio: Studio, manifest: Manifest) -> str:
    """The folder that the run was trained on, where it lies in the studio's; else a new one."""
    path = manifest.data.path if manifest.data else None
    if path is not None and (studio.root / path).resolve().parent == studio.root:
        return (studio.root / path).resolve().name
    keeps = _keeps(manifest)
    return {"word": "recordings", "sound": "machine", "picture": "pictures"}.get(keeps or "", keeps or "")


def _keeps(manifest: Manifest) -> Keeps | None:
    senses = page.senses(manifest)
    if "microphone" in senses:
        return "word" if manifest.anomaly is None else "sound"
    if "camera" in senses:
        return "picture"
    return None if "motion" not in senses else "strokes" if manifest.gesture else "motion"


def _truths(run: Run, manifest: Manifest) -> list[str]:
    """What a wrong report may have been; of an alarm, what training takes for normal."""
    if manifest.anomaly is not None:
        recipe = trainings.recipe_of(run)
        return list(recipe.normal[:1] if isinstance(recipe, AnomalyRecipe) else ()) or [NORMAL]
    words = [label for label in manifest.labels if label not in _NO_WORDS]
    return [_OTHER, *words] if manifest.features else words


def _towards(studio: Studio, asked: TowardsAsked) -> StepTold:
    run = existing_run(studio, asked.run)
    words = steps.following(studio, run, known_board(asked.board))
    return StepTold(job=told(studio.jobs.start(*words)) if words else None, last=not words)


def _listen(studio: Studio, asked: ListenAsked) -> StepTold:
    place = studio.named(existing_run(studio, asked.run).path)
    allowed = [] if asked.max_fa_per_hour is None else ["--max-fa-per-hour", f"{asked.max_fa_per_hour:g}"]
    return StepTold(
        job=told(studio.jobs.start("evaluate-stream", place, "--hours", f"{asked.hours:g}", *allowed))
    )


def _watch(studio: Studio, asked: WatchAsked) -> StepTold:
    run = existing_run(studio, asked.run)
    board = known_board(asked.board)
    place = studio.named(run.path)
    replay = run.file("replay")
    if asked.feed == "replay" and not replay.is_dir():
        replay = registry.task(run.manifest().task).write_replay(run, REPLAY_CLIPS_PER_LABEL)
    feed = {
        "own": [],
        "microphone": ["--microphone"],
        "camera": ["--camera"],
        "replay": ["--replay", studio.named(replay)],
    }[asked.feed]
    port = ["--port", asked.port] if asked.port else []
    job = studio.jobs.start("monitor", place, "--board", board.name, "--trace", "scores", *port, *feed)
    return StepTold(job=told(job))


def _page(studio: Studio, asked: RunAsked) -> Response:
    """The run's page, made anew of the program: no script comes from the run's folder."""
    run = existing_run(studio, asked.run)
    program = steps.firmware(run, BROWSER)
    if not program.is_file():
        raise NotThereError("The page has not been built", asked.run, "Build it first.")
    digest = base64.b64encode(hashlib.sha256(page.script().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}' 'wasm-unsafe-eval' data:; "
        "style-src 'unsafe-inline'; worker-src data:; media-src blob:; frame-ancestors 'self'; "
        "sandbox allow-scripts allow-same-origin"
    )
    text = page.page_text([run], program)
    return Response(text, media_type="text/html", headers={"content-security-policy": policy})


ENDPOINTS = (
    Endpoint("GET", "/api/try", _try, "What of a run can be tried", takes=RunAsked, gives=TryTold),
    Endpoint("GET", "/api/try/page", _page, "The run's board as a page", takes=RunAsked),
    Endpoint(
        "POST",
        "/api/try/towards",
        _towards,
        "The next step to a firmware",
        takes=TowardsAsked,
        gives=StepTold,
    ),
    Endpoint(
        "POST", "/api/try/listen", _listen, "Evaluate hours of audio", takes=ListenAsked, gives=StepTold
    ),
    Endpoint("POST", "/api/try/watch", _watch, "Watch a board", takes=WatchAsked, gives=StepTold),
)
