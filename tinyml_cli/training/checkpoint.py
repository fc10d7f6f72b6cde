"""The state of a training after each epoch, so that it can go on after Ctrl-C or a power cut."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_atomic

if TYPE_CHECKING:
    import keras

_STATE = "state.json"


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        fingerprint: hash of the recipe and the data.
        epochs_done: completed epochs.
        loss: validation loss after the last of them.
        accuracy: validation accuracy after the last of them.
        found: the hard examples that were found on the way; None before they were sought.
    """

    fingerprint: str
    epochs_done: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    found: list[int] | None = None


class Checkpoint:
    """A folder with the last epoch's model and optimiser, and a state that names it.

    The model is written under its epoch's name before the state that refers to it, so a kill at any
    moment leaves a state whose file is whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: keras.Model, average: keras.Model | None, progress: Progress) -> None:
        """Records the epoch that just ended, with the average of the weights where one is kept."""
        _save_model(model, self._last(progress))
        if average is not None:
            _save_model(average, self._average(progress))
        write_atomic(self._folder / _STATE, json.dumps(asdict(progress), indent=2) + "\n")
        for stale in self._folder.glob("*.keras"):
            if stale not in (self._last(progress), self._average(progress)):
                stale.unlink(missing_ok=True)

    def load_progress(self, fingerprint: str) -> Progress | None:
        """Where a training with this recipe and data stopped; None when nothing was saved.

        Raises:
            TinymlError: the state is damaged, or belongs to another recipe or other data.
        """
        path = self._folder / _STATE
        if not path.is_file():
            return None
        try:
            progress = Progress(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise _damaged(path, str(error)) from error
        if progress.fingerprint != fingerprint:
            raise TinymlError(
                "The interrupted training used another recipe or other data",
                str(path),
                "Give the same words, data and settings to go on, or train without --resume.",
            )
        return progress

    def load_last(self, progress: Progress) -> keras.Model:
        """The model and optimiser after the last epoch."""
        return _load_model(self._last(progress))

    def load_average(self, progress: Progress) -> keras.Model:
        """The averaged weights after the last epoch."""
        return _load_model(self._average(progress))

    def clear(self) -> None:
        """Forgets everything saved."""
        if self._folder.is_dir():
            (self._folder / _STATE).unlink(missing_ok=True)
            for stale in self._folder.glob("*.keras"):
                stale.unlink(missing_ok=True)

    def _last(self, progress: Progress) -> Path:
        return self._folder / f"last-{progress.epochs_done:04d}.keras"

    def _average(self, progress: Progress) -> Path:
        return self._folder / f"average-{progress.epochs_done:04d}.keras"


def _save_model(model: keras.Model, path: Path) -> None:
    with atomic_path(path) as temporary:
        model.save(temporary)


def _load_model(path: Path) -> keras.Model:
    import keras

    try:
        return keras.saving.load_model(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> TinymlError:
    return TinymlError(f"The saved training state is damaged ({why})", str(path), "Train without --resume.")
