"""The run directory: its manifest, where each artifact lies, and which artifacts are stale."""

from __future__ import annotations

import contextlib
import functools
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir as runs_dir
from tinyml_cli.files import sha256_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.next_step import next_step, train_again, work_on
from tinyml_cli.run_folder import CHECKPOINT as CHECKPOINT
from tinyml_cli.run_folder import LATEST, RunFolder, content_of, latest_path
from tinyml_cli.run_folder import MANIFEST as MANIFEST
from tinyml_cli.run_folder import RECIPE as RECIPE
from tinyml_cli.tracking import seam

MODEL = "model.keras"
MODEL_QAT = "model_qat.keras"
CALIBRATION = "calibration.npz"
MODEL_FLOAT32 = "model_float32.tflite"
MODEL_INT8 = "model_int8.tflite"
MODEL_STREAM = "model_stream_int8.tflite"

MADE_BY = {
    MODEL: "tinyml train",
    MODEL_QAT: "tinyml quantize --method qat",
    CALIBRATION: "tinyml quantize",
    MODEL_FLOAT32: "tinyml convert",
    MODEL_INT8: "tinyml convert",
    MODEL_STREAM: "tinyml convert",
}


P = ParamSpec("P")
T = TypeVar("T")


def board_model(manifest: Manifest) -> str:
    """The artifact that a board runs: the int8 model, or its streaming form where there is one."""
    return MODEL_STREAM if MODEL_STREAM in manifest.artifacts else MODEL_INT8


def is_run(given: str | Path) -> bool:
    """Whether a path, or a name below the runs folder, is that of a run."""
    return any((path / MANIFEST).is_file() for path in (Path(given), runs_dir() / given))


def default_name(task: str, words: Iterable[str]) -> str:
    """`kws-yes-no` for words yes, no; safe as a folder name on every system."""
    parts = [
        re.sub(r"\0+", "_", "".join(map(_in_folder_name, unicodedata.normalize("NFC", word))))
        for word in words
    ]
    return "-".join([task, *parts])[:60]


def _in_folder_name(letter: str) -> str:
    """A letter, digit, or sign of a vowel, as in "हाँ"; a mark to be replaced for anything else."""
    is_sign = unicodedata.category(letter)[0] == "M" and not unicodedata.name(letter, "").startswith(
        "COMBINING"
    )
    return letter if letter.isalnum() or letter == "_" or is_sign else "\0"


class Run(RunFolder):
    """One run directory, its manifest and its artifacts.

    Attributes:
        accepts_partial: whether the model of a training that was stopped will do; with --accept-partial, for
            every run that the command opens.
    """

    accepts_partial: bool = False

    def __init__(self, path: Path, accepts_partial: bool = False) -> None:
        super().__init__(path)
        if accepts_partial:
            self.accepts_partial = True

    @classmethod
    def open(cls, given: str | Path | None = None) -> Run:
        """Finds a run by path, by name below the runs folder, or the latest one.

        Raises:
            TinymlError: there is no such run; the known ones are named.
        """
        if given is None:
            return _latest()._opened()
        for path in (Path(given), runs_dir() / given):
            if path.is_dir():
                return cls(path)._opened()
        known = _known_runs()
        raise TinymlError(
            f"No run `{given}`",
            str(runs_dir()),
            f"Known runs: {known}." if known else how_to_make_one(),
        )

    def manifest(self, partial: bool = False) -> Manifest:
        """The run's manifest, read and validated now.

        Args:
            partial: whether that of a training which was stopped will do.

        Raises:
            TinymlError: none, a damaged one, or one of a stopped training that nobody accepted.
        """
        stopped = self.stopped_after()
        path = self.path / MANIFEST
        if stopped is not None and not path.is_file() and not partial:
            raise self._half_trained(stopped)
        manifest = Manifest.load(path)
        if manifest.complete:
            return manifest
        if not (partial or self.accepts_partial):
            raise self._half_trained(str(manifest.epochs))
        return manifest

    def stopped_after(self) -> str | None:
        """ "12 of 30" where the last training of the run was stopped after an epoch; None where it was not.

        A training that was killed had no time for the manifest, so its checkpoint is asked.
        """
        path = self.file(CHECKPOINT) / "state.json"
        try:
            state = load_json(path)
            done, planned = int(state["epochs_done"]), int(state["epochs"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return f"{done} of {planned}" if done < planned else None

    def _opened(self) -> Run:
        """Warns where a training was stopped that was to replace the model of this run.

        Raises:
            TinymlError: a folder of something else, in which a lock would search for what to tidy.
        """
        work_on(self.path)
        there = content_of(self.path)
        if there and not any(self.file(name).exists() for name in (MANIFEST, RECIPE, CHECKPOINT)):
            Manifest.load(self.file(MANIFEST))  # is missing, and the error says so
        if (stopped := self.stopped_after()) is not None:
            with contextlib.suppress(TinymlError):
                if Manifest.load(self.path / MANIFEST).complete:
                    console.warn(
                        f"a later training of {self.path} stopped after epoch {stopped}; this model is "
                        f"from the training before it. To resume: {self.train_again('--resume')}"
                    )
        return self

    def _half_trained(self, epochs: str) -> TinymlError:
        return TinymlError(
            f"Training of this run stopped after epoch {epochs}",
            str(self.path),
            f"Resume it: {self.train_again('--resume')}, or use it unfinished: --accept-partial",
        )

    def train_again(self, *options: str) -> str:
        """The command that trains the run again by its recipe."""
        return train_again(self.path, self.recipe_task() or "TASK", *options)

    def recipe_task(self) -> str:
        """The task that the recipe names, read without the rest of it; "" where it names none."""
        try:
            text = self.file(RECIPE).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        task = re.search(r"^task: *(\w+)", text, re.MULTILINE)
        return task[1] if task else ""

    def save(self, manifest: Manifest) -> None:
        """Writes the manifest.

        Raises:
            TinymlError: another process writes to the run.
        """
        with self.writing():
            manifest.save(self.path / MANIFEST)

    def record(self, manifest: Manifest, name: str, made_by: str, made_from: Iterable[str] = ()) -> None:
        """Enters an artifact that was just written, with the hashes of what it was made from."""
        path = self.file(name)
        manifest.artifacts[name] = Artifact(
            sha256=sha256_file(path),
            bytes=path.stat().st_size,
            made_by=made_by,
            made_from={source: manifest.artifacts[source].sha256 for source in made_from},
        )

    def sha256_of(self, name: str) -> str:
        """What the manifest says of an artifact; empty where it does not list it or cannot be read."""
        with contextlib.suppress(TinymlError):
            entry = Manifest.load(self.file(MANIFEST)).artifacts.get(name)
            return "" if entry is None else entry.sha256
        return ""

    def require(self, manifest: Manifest, name: str) -> Path:
        """The path of an artifact that is there, whole and not stale.

        Raises:
            TinymlError: missing, changed since it was recorded, or made from an older input.
        """
        command = MADE_BY.get(name) or (
            manifest.artifacts[name].made_by if name in manifest.artifacts else ""
        )
        path = self.file(name)
        entry = manifest.artifacts.get(name)
        if entry is None and manifest.taught is not None:
            raise self._not_taught(manifest, name)
        if entry is None or not path.is_file():
            there = entry is None and path.is_file()
            state = "is stale: it is of an earlier training, or not of this run" if there else "is missing"
            raise TinymlError(f"`{name}` {state}", str(self.path), f"Run `{self._again(command)}` first.")
        if sha256_file(path) != entry.sha256:
            raise TinymlError(
                f"`{name}` is not the file that `{entry.made_by}` wrote",
                str(path),
                f"Run `{self._again(entry.made_by)}` again.",
            )
        for source, sha256 in entry.made_from.items():
            current = manifest.artifacts.get(source)
            if current is None or current.sha256 != sha256:
                raise TinymlError(
                    f"`{name}` is stale: it was made from a different `{source}`",
                    str(path),
                    f"Run `{self._again(entry.made_by)}` again.",
                )
            self.require(manifest, source)
        return path

    def _not_taught(self, manifest: Manifest, name: str) -> TinymlError:
        """The error for an artifact that only a training would make."""
        words = manifest.labels[2:]
        if not words:
            step = f"Teach it a word: {next_step('teach', self.path, '--word', 'WORD', 'TAKES')}"
            return TinymlError("The run knows no word", str(self.path), step)
        trained = next_step(
            "train", "kws", "--words", ",".join(words), "--add-recordings", self.file("taught")
        )
        return TinymlError(
            f"The run was taught, not trained: it has no `{name}`",
            str(self.path),
            f"Judge it by recordings: --data FOLDER or --stream FILE. To train its words: {trained}",
        )

    def read_json(self, manifest: Manifest, name: str) -> dict[str, Any]:
        """The object of a JSON artifact.

        Raises:
            TinymlError: see `require`; or it is not a JSON object.
        """
        path = self.require(manifest, name)
        try:
            document = load_json(path)
        except UnreadableError as error:
            raise self._damaged(manifest, name, str(error)) from error
        if not isinstance(document, dict):
            raise self._damaged(manifest, name, "it is not a JSON object")
        return document

    def _damaged(self, manifest: Manifest, name: str, why: str) -> TinymlError:
        made_by = manifest.artifacts[name].made_by
        return TinymlError(
            f"`{name}` is damaged: {why}", str(self.file(name)), f"Run `{self._again(made_by)}` again."
        )

    def _again(self, made_by: str) -> str:
        """The command line that makes an artifact of this run again, by the command that made it."""
        words = shlex.split(made_by)[1:]
        if words[:1] == ["train"]:
            return self.train_again()
        # A compressed run is a variant: its command makes it from the run above it.
        made_anew = self.root != self.path and words[:1] != ["convert"]
        return made_by if made_anew or not words else next_step(words[0], self.path, *words[1:])

    def is_fresh(self, manifest: Manifest, name: str) -> bool:
        """Whether `require` would accept the artifact."""
        try:
            self.require(manifest, name)
        except TinymlError:
            return False
        return True


def writes(stage: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """Decorates a stage: it holds the lock of its run, which is its first argument, and is tracked."""

    @functools.wraps(stage)
    def locked(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with run.writing(), seam.stage(stage.__name__, run.path) as ended:
            outcome: T = ended(stage(run, *args, **kwargs))
            return outcome

    return locked


def _latest() -> Run:
    target = latest_path()
    if target is not None and target.is_dir():
        return Run(target.resolve())
    known = _known_runs()
    if known:
        what = "It is not known which run is the latest: the link to it is gone"
        raise TinymlError(what, str(runs_dir() / LATEST), f"Name a run. Known runs: {known}.")
    raise TinymlError("There are no runs yet", str(runs_dir()), how_to_make_one())


def how_to_make_one() -> str:
    """The command that makes a first run in this folder, which may be a project."""
    if not Path(RECIPE).is_file():
        return "Create one: tinyml train kws --words yes,no"
    if Path("Makefile").is_file():
        return "Create one by the recipe here: make"
    return f"Create one by the recipe here, {RECIPE}: `tinyml train --help` lists the tasks"


def _known_runs() -> str:
    """Names of the runs folder's runs, in a line."""
    names = (p.parent.name for p in runs_dir().glob(f"*/{MANIFEST}") if p.parent.name != LATEST)
    return ", ".join(sorted(names))
