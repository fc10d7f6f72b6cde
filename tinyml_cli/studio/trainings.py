"""A training as its run's folder tells it, whoever started it: the studio, a terminal, an earlier studio."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinyml_cli import locks, recipes, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir
from tinyml_cli.recipes.base import BaseRecipe, ClassifierRecipe
from tinyml_cli.run import CHECKPOINT, MANIFEST, RECIPE, Run
from tinyml_cli.run_folder import TRAINED_BY
from tinyml_cli.studio.jobs import Job
from tinyml_cli.studio.studio import Studio
from tinyml_cli.training.checkpoint import Checkpoint, TrainingProgress

TrainingState = Literal["running", "stopped", "done", "failed", "none"]

_TRAIN = ("train", "pipeline", "retrain", "tune")
_POLL_S = 0.5


@dataclass(frozen=True)
class TrainingOfRun:
    """What a run's folder says of its training.

    Attributes:
        state: running, though nothing may be saved yet; stopped, and can go on; done; failed before an epoch
            was saved; none.
        progress: None before the first epoch has ended.
        labels: of the rows of the confusion.
        job: of this studio, which trains or trained it.
        holder: the process that trains it, where that is another's.
    """

    state: TrainingState
    progress: TrainingProgress | None
    labels: list[str]
    job: Job | None
    holder: str


def read(studio: Studio, run: Run) -> TrainingOfRun:
    """The training of a run, now."""
    progress = Checkpoint(run.file(CHECKPOINT)).usable()
    job = job_of(studio, studio.named(run.path))
    holder = locks.holder_of(run.path)
    is_held = holder is not None and temporary.is_running(holder.pid)
    is_training = (
        is_held and holder is not None and any(f" {verb} " in f"{holder.command} " for verb in _TRAIN)
    )
    is_ours = job is not None and job.state == "running"
    state: TrainingState = "none"
    if is_ours or is_training:
        state = "running"
    elif progress is not None and progress.epochs_done < progress.epochs:
        state = "stopped"
    elif progress is not None or run.file(MANIFEST).exists():
        state = "done"
    elif job is not None:
        state = "failed"
    recipe = recipe_of(run)
    labels = recipe.model_labels if isinstance(recipe, ClassifierRecipe) else []
    confusion = progress.judged.get("confusion", []) if progress else []
    return TrainingOfRun(
        state,
        progress,
        labels if len(labels) == len(confusion) else _numbered(len(confusion)),
        job,
        str(holder) if is_training and not is_ours else "",
    )


def run_of(job: Job) -> str:
    """The run that a command trains, as a path below the root; empty of another command."""
    trains = job.words[0] in _TRAIN and "--run" in job.words
    return job.words[job.words.index("--run") + 1] if trains else ""


def job_of(studio: Studio, place: str) -> Job | None:
    """The newest command of this studio that trains the run of a path."""
    return next((job for job in studio.jobs.all() if run_of(job) == place), None)


def recipe_path(run: Run) -> Path:
    """The recipe of the run's last training, which may not have ended."""
    last = run.file(TRAINED_BY)
    return last if last.is_file() else run.file(RECIPE)


def recipe_of(run: Run) -> BaseRecipe | None:
    """The same, read; None where it cannot be."""
    try:
        return recipes.load(recipe_path(run))
    except (TinymlError, OSError):
        return None


def _numbered(n: int) -> list[str]:
    return [str(number) for number in range(n)]


def watch(studio: Studio) -> None:
    """Tells pages of every epoch that ends in the runs folder: events `training` with the name of the run.

    It looks at the files, so a training that was started elsewhere is seen too. Ends with the studio.
    """
    seen = _changes()
    while not studio.feed.is_closed:
        time.sleep(_POLL_S)
        now = _changes() if studio.feed.is_heard else seen
        for name in sorted(name for name in now.keys() | seen.keys() if now.get(name) != seen.get(name)):
            studio.feed.publish("training", run=name)
        seen = now


def _changes() -> dict[str, int]:
    """Run -> when its training saved an epoch."""
    found = {}
    for state in runs_dir().glob(f"*/{CHECKPOINT}/state.json"):
        run = state.parents[2]
        with contextlib.suppress(OSError):
            if not run.is_symlink():
                found[run.name] = state.stat().st_mtime_ns
    return found
