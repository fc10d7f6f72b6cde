"""The state of a training after each epoch, for resuming after Ctrl-C or a power cut.

Only numbers are saved: the recipe builds the network and its optimiser again. Keras's own format would take
longer to write than an epoch of a small network takes.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_cli.console import console
from tinyml_cli.documents import load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_arrays, write_atomic
from tinyml_cli.training.judging import MEASURES

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

_STATE = "state.json"
# Keys of older versions, whose values are among `judged`.
_RETIRED = ("loss", "accuracy")


class Resume(enum.Enum):
    """What to do with an existing checkpoint of a stopped training."""

    NEVER = "begin anew"
    IF_SAVED = "go on where it is of this recipe and these data, else begin anew"
    MUST = "go on, or refuse"
    AS_IT_IS = "take its model without a further epoch, or refuse"

    @classmethod
    def of(cls, value: Resume | bool) -> Resume:
        """The choice for --resume or its absence."""
        return value if isinstance(value, Resume) else cls.MUST if value else cls.NEVER


@dataclass
class TrainingProgress:
    """The progress of a training.

    Attributes:
        fingerprint: hash of the recipe and the data.
        epochs: planned; 0 in states of older versions.
        epochs_done: completed epochs.
        found: the hard examples found so far; None before the search.
        judged: the validation measures of the last epoch; empty in states of older versions.
        history: the measures of each epoch, "loss", "validation_loss" and for classifiers their "accuracy".
        best_epoch: the epoch to keep, with its score and its validation measures; 0: the last.
    """

    fingerprint: str
    epochs: int = 0
    epochs_done: int = 0
    found: list[int] | None = None
    judged: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = 0.0
    best_judged: dict[str, Any] = field(default_factory=dict)

    def ended(self, trained: Mapping[str, float], judged: Mapping[str, Any]) -> None:
        """Records an epoch: its measures on the training and on the validation examples."""
        self.epochs_done += 1
        self.judged = dict(judged)
        followed = {name: judged[name] for name in MEASURES if name in judged}
        self.history.append({**trained, **{f"validation_{name}": value for name, value in followed.items()}})

    def scored(self, score: float) -> None:
        """Records the score of the epoch that has just ended, where it is the best so far."""
        if not self.best_epoch or score >= self.best_score:
            self.best_epoch, self.best_score, self.best_judged = self.epochs_done, score, self.judged

    def last_epoch(self, resume: Resume | bool) -> int:
        """The last epoch of the training."""
        return self.epochs_done if resume is Resume.AS_IT_IS else self.epochs


class Checkpoint:
    """A folder with the last epoch's weights and optimiser, and a state that names them.

    They are written under their epoch's name before the state that refers to it, so after a kill at any
    moment the state refers to complete files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: keras.Model, average: keras.Model | None, progress: TrainingProgress) -> None:
        """Records the epoch that just ended, with the average of the weights if there is one."""
        _save([*model.weights, *model.optimizer.variables], self._last(progress))
        if average is not None:
            _save(average.weights, self._average(progress))
        if progress.best_epoch == progress.epochs_done:
            _save((model if average is None else average).weights, self._best(progress))
        self._refer_to(progress)

    def save_arrays(self, arrays: Mapping[str, NDArray[Any]], progress: TrainingProgress) -> None:
        """Records the epoch that just ended, of a training whose state is no single model."""
        write_arrays(self._last(progress), arrays)
        self._refer_to(progress)

    def _refer_to(self, progress: TrainingProgress) -> None:
        write_atomic(self._folder / _STATE, json.dumps(asdict(progress), indent=2) + "\n")
        self._forget(self._last(progress), self._average(progress), self._best(progress))

    def begin(self, fingerprint: str, epochs: int, resume: Resume | bool) -> tuple[TrainingProgress, bool]:
        """Where a training starts, and whether it is resumed; another training's checkpoint is deleted.

        Raises:
            TinymlError: `resume` needs a checkpoint, and there is none, or it is damaged, or belongs to
                another recipe or other data.
        """
        resume = Resume.of(resume)
        must = resume in (Resume.MUST, Resume.AS_IT_IS)
        progress = self.progress() if must else None if resume is Resume.NEVER else self.usable()
        if progress is not None and progress.fingerprint == fingerprint:
            progress.epochs = epochs
            console.info(f"Resuming after epoch {progress.epochs_done} of {epochs}.")
            return progress, True
        if must:
            if progress is None:
                raise nothing_saved(self._folder)
            raise TinymlError(
                "The interrupted training used a different recipe or different data",
                str(self._folder / _STATE),
                "Use the same words, data and settings to resume, or train without --resume.",
            )
        self.clear()
        return TrainingProgress(fingerprint, epochs), False

    def usable(self) -> TrainingProgress | None:
        """Where a training stopped; None also if its checkpoint is damaged."""
        try:
            return self.progress()
        except TinymlError:
            return None

    def progress(self) -> TrainingProgress | None:
        """Where a training stopped; None if nothing was saved.

        Raises:
            TinymlError: the state is damaged.
        """
        path = self._folder / _STATE
        if not path.is_file():
            return None
        try:
            document = load_json(path)
            progress = TrainingProgress(**{key: document[key] for key in document if key not in _RETIRED})
            if progress.epochs_done < 1 or progress.epochs < 0:
                raise ValueError("no epoch is done")
            if not self._last(progress).is_file():
                raise ValueError(f"{self._last(progress).name} is missing")
        except (ValueError, TypeError) as error:
            raise _damaged(path, str(error)) from error
        return progress

    def load_last(self, progress: TrainingProgress, model: keras.Model) -> None:
        """Gives a compiled model and its optimiser the state after the last epoch."""
        _load([*model.weights, *model.optimizer.variables], self._last(progress))

    def load_arrays(self, progress: TrainingProgress) -> dict[str, NDArray[Any]]:
        """What `save_arrays` saved after the last epoch.

        Raises:
            TinymlError: the file is damaged.
        """
        import numpy as np

        try:
            with np.load(self._last(progress)) as saved:
                return {name: saved[name] for name in saved.files}
        except Exception as error:  # zipfile and NumPy raise many kinds for damaged bytes
            raise _damaged(self._last(progress), str(error)) from error

    def load_average(self, progress: TrainingProgress, model: keras.Model) -> None:
        """Gives a model the averaged weights after the last epoch."""
        _load(model.weights, self._average(progress))

    def load_best(self, progress: TrainingProgress, model: keras.Model) -> None:
        """Gives a model the weights of the epoch to keep."""
        _load(model.weights, self._best(progress))

    def clear(self) -> None:
        """Deletes everything saved."""
        if self._folder.is_dir():
            (self._folder / _STATE).unlink(missing_ok=True)
            self._forget()

    def _forget(self, *kept: Path) -> None:
        """Deletes the weights of other epochs; `.keras` is what older versions wrote."""
        for pattern in ("*.npz", "*.keras"):
            for stale in self._folder.glob(pattern):
                if stale not in kept:
                    stale.unlink(missing_ok=True)

    def _last(self, progress: TrainingProgress) -> Path:
        return self._folder / f"last-{progress.epochs_done:04d}.npz"

    def _average(self, progress: TrainingProgress) -> Path:
        return self._folder / f"average-{progress.epochs_done:04d}.npz"

    def _best(self, progress: TrainingProgress) -> Path:
        return self._folder / f"best-{progress.best_epoch:04d}.npz"


def _save(variables: Sequence[keras.Variable], path: Path) -> None:
    import numpy as np

    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, *(variable.numpy() for variable in variables))


def _load(variables: Sequence[keras.Variable], path: Path) -> None:
    import numpy as np

    try:
        with np.load(path) as saved:
            if len(saved.files) != len(variables):
                raise ValueError("it is of another network")
            for number, variable in enumerate(variables):
                variable.assign(saved[f"arr_{number}"])
    except Exception as error:  # zipfile and NumPy raise many kinds for damaged bytes
        raise _damaged(path, str(error)) from error


def nothing_saved(folder: Path) -> TinymlError:
    """The error when there is no checkpoint to resume from."""
    return TinymlError(
        "No interrupted training to resume", str(folder), "Train from the start: omit --resume."
    )


def _damaged(path: Path, why: str) -> TinymlError:
    return TinymlError(f"The saved training state is damaged ({why})", str(path), "Train without --resume.")
