"""One record, a run of MLflow: turns what stages tell into events of a journal, and starts their sender."""

from __future__ import annotations

import contextlib
import getpass
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import __version__
from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import EXIT_FAILURE, EXIT_OK, TinymlError
from tinyml_cli.files import sha256_file, write_atomic
from tinyml_cli.git import commit_of
from tinyml_cli.interrupt import same_command
from tinyml_cli.run_folder import MANIFEST, RECIPE, VARIANTS
from tinyml_cli.tracking import delivery, journal
from tinyml_cli.tracking.figures import metrics_of, name_of, params_of
from tinyml_cli.tracking.journal import FAILED, FINISHED, KILLED, JournalWriter
from tinyml_cli.tracking.target import TrackingTarget
from tinyml_cli.yaml_documents import load_yaml

_IDENTITY = "logs/tracking.json"
_MODEL = "model.keras"
# Options that say how a command talks, or are in the tags.
_NO_PARAMS = {"json", "quiet", "track", "accept_partial", "resume", "run", "runs"}
# Stages that give the recipe of a training, or contain one that does.
_TRAINING = ("train", "run_pipeline")
# What people call a stage whose function has another name.
_NAMES = {"run_pipeline": "pipeline", "record": "profile"}
# Items of the user's data: they stay on this computer.
PRIVATE = re.compile(r"logs/|calibration\.npz|data-snapshot\.json|report/answers\.npz")
_REPORTS = "report"


@dataclass(frozen=True)
class Wanted:
    """That a command is tracked: where to, and the values of its options."""

    target: TrackingTarget
    options: Callable[[], Mapping[str, Any]]


class StageRecorder:
    """A run of MLflow; its journal begins with the first event.

    Attributes:
        goes_on: whether an earlier command began the record.
        prefixes: what names of figures begin with now.
    """

    goes_on = False

    def __init__(self, wanted: Wanted, title: str, identity: str = "", parent: str = "") -> None:
        self.identity = identity or uuid.uuid4().hex
        self.prefixes: list[str] = []
        self._wanted = wanted
        self._title = title
        self._parent = parent
        self._writer: JournalWriter | None = None
        self._is_given_up = False
        self._has_recipe = False
        self._told: set[str] = set()  # stages, whose outcomes a pipeline's outcome repeats
        self._known: dict[Path, dict[str, str]] = {}
        self._tracked: set[tuple[Path, str, str]] = set()
        self._began = time.time()

    @classmethod
    def of_stage(
        cls, wanted: Wanted, name: str, run: Path | None, title: str, identity: str, resumes: bool
    ) -> StageRecorder:
        """The record that a command's outermost stage begins, see `seam.stage`."""
        known = {} if run is None else _kept(run)
        goes_on = resumes and name == "train" and known.get("model") is None and "id" in known
        if goes_on:
            identity = known["id"]
        parent = "" if run is None or name in _TRAINING else _parent_of(run)
        if not title:
            assert run is not None
            named = run.resolve().name
            title = named if name in _TRAINING else f"{named} {name}"
        recorder = cls(wanted, title, identity, parent)
        recorder.goes_on = goes_on
        return recorder

    def stage_began(self, name: str, run: Path | None, recipe: Mapping[str, Any] | None) -> None:
        """Takes note of what lies there before the stage, and of what is trained."""
        if recipe is None and not self._has_recipe and run is not None and name not in _TRAINING:
            recipe = _recipe_of(run)
        self._has_recipe = self._has_recipe or recipe is not None
        self.tell(params_of(recipe or {}), {})
        if run is None:
            return
        if run not in self._known:
            self._known[run] = _artifacts(run)
        if name == "train":
            self._guarded(lambda: write_atomic(run / _IDENTITY, f'{{"id": "{self.identity}"}}\n'))

    def stage_ended(self, name: str, run: Path | None, outcome: Any) -> None:
        """Figures of the outcome, hashes, and files that the stage made."""
        document = outcome.as_dict() if hasattr(outcome, "as_dict") else {}
        fresh = {key: value for key, value in document.items() if key not in self._told}
        self.figures(fresh, f"{_NAMES.get(name, name)}/")
        self._told.add(name)
        if run is None:
            return
        if name == "train" and (model := _artifacts(run).get(_MODEL)):
            text = f'{{"id": "{self.identity}", "model": "{model}"}}\n'
            self._guarded(lambda: write_atomic(run / _IDENTITY, text))
        self._files_of(run)

    def figures(self, document: Mapping[str, Any], prefix: str = "") -> None:
        """The numbers of a document."""
        self.metrics({prefix + key: value for key, value in metrics_of(document).items()})

    def metrics(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Numbers, of an epoch where `step` is not 0."""
        named = {name_of("/".join([*self.prefixes, name])): value for name, value in figures.items()}
        if named:
            self._write(journal.METRICS, metrics=named, step=step, at_ms=journal.now_ms())

    def tell(self, params: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Parameters and tags."""
        if params:
            self._write(journal.PARAMS, params=dict(params))
        if tags or not params:
            self._write(journal.TAGS, tags={name_of(key): value for key, value in tags.items()})

    def end(self, status: str) -> None:
        """The record is whole, if it was begun."""
        if self._writer is not None:
            self._write(journal.END, status=status, at_ms=journal.now_ms())
        if self._writer is not None:
            self._writer.close()

    def _files_of(self, run: Path) -> None:
        """Hands over what is new or changed: artifacts of the manifest, the report, manifest and recipe."""
        before, artifacts = self._known[run], _artifacts(run)
        names = [name for name, sha256 in artifacts.items() if before.get(name) != sha256]
        report = run / _REPORTS
        made = [path for path in report.rglob("*") if path.is_file()] if report.is_dir() else []
        names += [
            path.relative_to(run).as_posix() for path in made if path.stat().st_mtime >= self._began - 1
        ]
        names += [RECIPE, MANIFEST]
        hashes = {}
        for name in dict.fromkeys(names):
            path = run / name
            if not path.is_file():
                continue
            sha256 = hashes[name] = sha256_file(path)
            if not PRIVATE.match(name) and (run, name, sha256) not in self._tracked:
                self._tracked.add((run, name, sha256))
                self._guarded(lambda path=path, name=name: self._began_writer().add_file(path, name))  # type: ignore[misc]
        tags = {f"tinyml.sha256.{name}": sha256 for name, sha256 in hashes.items()}
        self.tell({}, tags | _data_tags(run))

    def _write(self, event: str, **fields: Any) -> None:
        self._guarded(lambda: self._began_writer().write(event, **fields))

    def _guarded(self, work: Callable[[], None]) -> None:
        """A full disk must not stop the stage for its record's sake: it will itself, if it has to."""
        if self._is_given_up:
            return
        try:
            work()
        except (OSError, TinymlError) as error:
            self._is_given_up = True
            why = error.what if isinstance(error, TinymlError) else error.strerror or error
            console.warn(f"this command is not tracked any further: {why} [{journal.spool_dir()}]")

    def _began_writer(self) -> JournalWriter:
        if self._writer is None:
            begin = {"title": self._title, "parent": self._parent, "tags": self._first_tags()}
            spool = journal.spool_dir().absolute()
            self._writer = JournalWriter(spool, self.identity, self._wanted.target, begin)
            options = {
                f"option.{name.rstrip('_')}": value
                for name, value in self._wanted.options().items()
                if name not in _NO_PARAMS and value is not None
            }
            self._writer.write(journal.PARAMS, params=params_of(options))
            delivery.start(spool, self._wanted.target.uri)
        return self._writer

    def _first_tags(self) -> dict[str, str]:
        tags = {
            "tinyml.version": __version__,
            "tinyml.command": same_command(),
            "mlflow.source.name": "tinyml",
            "mlflow.source.type": "LOCAL",
        }
        with contextlib.suppress(OSError, KeyError, ImportError):
            tags["mlflow.user"] = getpass.getuser()
        if commit := commit_of(Path.cwd()):
            tags["mlflow.source.git.commit"] = commit
        return tags


def command_ended(wanted: Wanted, left: Sequence[StageRecorder], code: int) -> None:
    """Ends records as their command ended, waits for what can be sent, and says where it is."""
    status = FINISHED if code in (EXIT_OK, EXIT_FAILURE) else KILLED if code > 128 else FAILED
    for recorder in left:
        recorder.end(status)
    if status == KILLED:
        delivery.stop()
        return
    is_started = True
    with contextlib.suppress(KeyboardInterrupt):  # ends the wait alone: the command has done its work
        is_started = delivery.finish(journal.spool_dir(), wanted.target.uri)
    if is_started:
        delivery.say(wanted.target)


def _artifacts(run: Path) -> dict[str, str]:
    """Name -> SHA-256 of what a run's manifest lists."""
    try:
        entries = load_json(run / MANIFEST)["artifacts"]
        return {name: entry["sha256"] for name, entry in entries.items()}
    except (UnreadableError, KeyError, TypeError, AttributeError):
        return {}


def _data_tags(run: Path) -> dict[str, str]:
    try:
        snapshot = load_json(run / MANIFEST)["data"]["snapshot"]
    except (UnreadableError, KeyError, TypeError):
        return {}
    return {"tinyml.data_snapshot": snapshot} if isinstance(snapshot, str) else {}


def _recipe_of(run: Path) -> dict[str, Any]:
    try:
        found = load_yaml(run / RECIPE)
    except UnreadableError:
        return {}
    return found if isinstance(found, dict) else {}


def _kept(run: Path) -> dict[str, str]:
    """The record of a run's training: its identity, and the model where it came to its end."""
    try:
        found = load_json(run / _IDENTITY)
        return {key: str(value) for key, value in found.items()}
    except (UnreadableError, AttributeError):
        return {}


def _parent_of(run: Path) -> str:
    """Identity of the record of the training that a run's model came from; "" where it was not tracked."""
    path = run.resolve()
    for folder in (path, path.parent.parent) if path.parent.name == VARIANTS else (path,):
        known = _kept(folder)
        if "id" in known and known.get("model") == _artifacts(folder).get(_MODEL):
            return known["id"]
    return ""
