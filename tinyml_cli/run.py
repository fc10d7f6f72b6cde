"""The run directory: where each artifact lies, which run is the latest, and what is stale."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir as runs_dir
from tinyml_cli.files import sha256_file, write_atomic
from tinyml_cli.manifest import Artifact, Manifest

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECIPE = "recipe.yaml"
MANIFEST = "manifest.json"
MODEL = "model.keras"
MODEL_QAT = "model_qat.keras"
CALIBRATION = "calibration.npz"
MODEL_FLOAT32 = "model_float32.tflite"
MODEL_INT8 = "model_int8.tflite"
MODEL_STREAM = "model_stream_int8.tflite"

CHECKPOINT = "logs/checkpoint"

MADE_BY = {
    MODEL: "tinyml train",
    MODEL_QAT: "tinyml quantize --method qat",
    CALIBRATION: "tinyml quantize",
    MODEL_FLOAT32: "tinyml convert",
    MODEL_INT8: "tinyml convert",
    MODEL_STREAM: "tinyml convert",
}


def board_model(manifest: Manifest) -> str:
    """The artifact that a board runs: the int8 model, or its streaming form where there is one."""
    return MODEL_STREAM if MODEL_STREAM in manifest.artifacts else MODEL_INT8


def is_run(given: str | Path) -> bool:
    """Whether a path, or a name below the runs folder, is that of a run."""
    return any((path / MANIFEST).is_file() for path in (Path(given), runs_dir() / given))


def default_name(task: str, words: Iterable[str]) -> str:
    """`kws-yes-no` for words yes, no; safe as a folder name on every system."""
    parts = [re.sub(r"[^\w]+", "_", word) for word in words]
    return "-".join([task, *parts])[:60]


class Run:
    """One run directory.

    Attributes:
        path: the directory.
        accepts_partial: whether --accept-partial was given, for every run that the command opens.
    """

    accepts_partial: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path) -> Run:
        """Makes the directory (an existing one is continued) and points `latest` to it.

        Raises:
            TinymlError: the path is a file, or a folder of something else.
        """
        if path.is_file():
            raise TinymlError("The run directory is a file", str(path), "Choose another with --run.")
        if path.is_dir() and any(path.iterdir()) and not any((path / n).exists() for n in (RECIPE, MANIFEST)):
            raise TinymlError(
                "The folder holds something that is not a run; nothing was written",
                str(path),
                "Choose an empty or new folder with --run.",
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TinymlError(
                f"The run directory cannot be made: {error.strerror}", str(path), "Choose another with --run."
            ) from error
        run = cls(path)
        _point_latest(run)
        return run

    @classmethod
    def open(cls, given: str | Path | None = None) -> Run:
        """Finds a run by path, by name below the runs folder, or the latest one.

        Raises:
            TinymlError: there is no such run; the known ones are named.
        """
        if given is None:
            return _latest()._with_warning()
        for path in (Path(given), runs_dir() / given):
            if path.is_dir():
                return cls(path)._with_warning()
        known = ", ".join(sorted(p.name for p in runs_dir().glob("*") if (p / MANIFEST).is_file()))
        raise TinymlError(
            f"There is no run `{given}`",
            str(runs_dir()),
            f"Known runs: {known}." if known else "Make one: tinyml train kws --words yes,no",
        )

    def file(self, name: str) -> Path:
        """The path of an artifact, there or not."""
        return self.path / name

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
        if not (partial or Run.accepts_partial):
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

    def _with_warning(self) -> Run:
        """Warns where a training was stopped that was to replace the model of this run."""
        if (stopped := self.stopped_after()) is not None:
            with contextlib.suppress(TinymlError):
                if Manifest.load(self.path / MANIFEST).complete:
                    console.warn(
                        f"a later training of {self.path} was stopped after epoch {stopped}; "
                        f"this is the model of the one before. To go on: {self._train_again()}"
                    )
        return self

    def _half_trained(self, epochs: str) -> TinymlError:
        return TinymlError(
            f"The training of this run was stopped after epoch {epochs}",
            str(self.path),
            f"Go on: {self._train_again()}, or take it as it is: --accept-partial",
        )

    def _train_again(self) -> str:
        """The command that goes on with the run's training."""
        recipe = self.file(RECIPE)
        text = recipe.read_text(encoding="utf-8") if recipe.is_file() else ""
        task = re.search(r"^task: *(\w+)", text, re.MULTILINE)
        words = ["--config", str(recipe), "--run", str(self.path), "--resume"]
        return f"tinyml train {task[1] if task else 'TASK'} {shlex.join(words)}"

    def save(self, manifest: Manifest) -> None:
        """Writes the manifest."""
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
        if entry is None or not path.is_file():
            raise TinymlError(f"`{name}` is missing", str(self.path), f"Run `{command} …` first.")
        if sha256_file(path) != entry.sha256:
            raise TinymlError(
                f"`{name}` is not the file that `{entry.made_by}` wrote",
                str(path),
                f"Run `{entry.made_by}` again.",
            )
        for source, sha256 in entry.made_from.items():
            current = manifest.artifacts.get(source)
            if current is None or current.sha256 != sha256:
                raise TinymlError(
                    f"`{name}` is stale: it was made from another `{source}`",
                    str(path),
                    f"Run `{entry.made_by}` again.",
                )
            self.require(manifest, source)
        return path

    def read_json(self, manifest: Manifest, name: str) -> dict[str, Any]:
        """The object of a JSON artifact.

        Raises:
            TinymlError: see `require`; or it holds no object.
        """
        path = self.require(manifest, name)
        try:
            document = load_json(path)
        except UnreadableError as error:
            raise self._damaged(manifest, name, str(error)) from error
        if not isinstance(document, dict):
            raise self._damaged(manifest, name, "it holds no object")
        return document

    def read_arrays(self, manifest: Manifest, name: str, *keys: str) -> list[NDArray[Any]]:
        """Arrays of an .npz artifact, in the order of `keys`.

        Raises:
            TinymlError: see `require`; or it is damaged, or lacks one of them.
        """
        from tinyml_cli.array_file import UnreadableArrayError, read_arrays

        path = self.require(manifest, name)
        try:
            arrays = read_arrays(path)
        except UnreadableArrayError as error:
            raise self._damaged(manifest, name, str(error)) from error
        if missing := [key for key in keys if key not in arrays]:
            raise self._damaged(manifest, name, f"it holds no `{missing[0]}`")
        return [arrays[key] for key in keys]

    def _damaged(self, manifest: Manifest, name: str, why: str) -> TinymlError:
        made_by = manifest.artifacts[name].made_by
        return TinymlError(f"`{name}` is damaged: {why}", str(self.file(name)), f"Run `{made_by}` again.")

    def is_fresh(self, manifest: Manifest, name: str) -> bool:
        """Whether `require` would accept the artifact."""
        try:
            self.require(manifest, name)
        except TinymlError:
            return False
        return True


def _point_latest(run: Run) -> None:
    """Makes `<parent>/latest` lead to the run: a link where the system allows one, else a text file."""
    link = run.path.parent / "latest"
    if link.is_dir() and not link.is_symlink():
        return
    temporary = link.with_name(f".latest.{os.getpid()}")
    with contextlib.suppress(OSError):
        try:
            temporary.symlink_to(run.path.name, target_is_directory=True)
            temporary.replace(link)
        except OSError:
            write_atomic(link, run.path.name + "\n")


def _latest() -> Run:
    link = runs_dir() / "latest"
    target = link
    if link.is_file():
        target = runs_dir() / link.read_text(encoding="utf-8").strip()
    if not target.is_dir():
        raise TinymlError("There is no run yet", str(runs_dir()), "Make one: tinyml train kws --words yes,no")
    return Run(target.resolve())
