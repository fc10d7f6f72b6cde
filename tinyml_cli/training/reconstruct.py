"""Fits an autoencoder to normal windows: noise on the input, one cosine to its end, resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.training.checkpoint import Checkpoint, Progress
from tinyml_cli.training.fit import make_deterministic

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Reconstruction:
    """The outcome of a training.

    Attributes:
        model: the last epoch's weights.
        epochs: epochs completed.
        loss: mean squared error on normal windows that were not trained on, in deviations squared.
        interrupted: Ctrl-C ended the training early.
    """

    model: keras.Model
    epochs: int
    loss: float
    interrupted: bool


def fit(
    build: Callable[[], keras.Model],
    train: FloatArray,
    validation: FloatArray,
    recipe: AnomalyRecipe,
    logs: Path,
    fingerprint: str,
    resume: bool = False,
) -> Reconstruction:
    """Trains until the last epoch, or until Ctrl-C.

    Args:
        build: makes the untrained model.
        train: float32 [windows, values], normal.
        validation: the same of other sessions, to watch the training by.
        recipe: epochs, rates, noise and seed.
        logs: folder for the checkpoint.
        fingerprint: hash of what makes this training what it is; `resume` refuses another.
        resume: go on from the checkpoint, if there is one.

    Raises:
        TinymlError: the checkpoint is damaged or belongs to another training.
        KeyboardInterrupt: Ctrl-C before the first epoch ended.
    """
    make_deterministic(recipe.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress = checkpoint.load_progress(fingerprint) if resume else None
    if progress is None:
        checkpoint.clear()
        progress = Progress(fingerprint)
        model = build()
        _compile(model, _steps(train, recipe), recipe)
    else:
        console.info(f"Going on after epoch {progress.epochs_done}.")
        model = checkpoint.load_last(progress)
    interrupted = _run(model, train, validation, recipe, checkpoint, progress)
    return Reconstruction(checkpoint.load_last(progress), progress.epochs_done, progress.loss, interrupted)


def _run(
    model: keras.Model,
    train: FloatArray,
    validation: FloatArray,
    recipe: AnomalyRecipe,
    checkpoint: Checkpoint,
    progress: Progress,
) -> bool:
    """Runs the epochs that are left; whether Ctrl-C ended them."""
    epochs = recipe.training.epochs
    saved_every = max(1, epochs // 20)
    with console.progress(epochs - progress.epochs_done, "Training") as bar:
        try:
            for epoch in range(progress.epochs_done, epochs):
                _epoch(model, train, recipe, epoch)
                if (epoch + 1) % saved_every == 0 or epoch + 1 == epochs:
                    progress.epochs_done = epoch + 1
                    progress.loss = float(np.mean((model.predict_on_batch(validation) - validation) ** 2))
                    checkpoint.save(model, None, progress)
                bar.advance(1, f"validation loss {progress.loss:.4f}")
        except KeyboardInterrupt:
            if progress.epochs_done == 0:
                raise
            console.warn(f"Stopped; epoch {progress.epochs_done} is kept. Add --resume to go on.")
            return True
    return False


def _epoch(model: keras.Model, train: FloatArray, recipe: AnomalyRecipe, epoch: int) -> None:
    """One pass in an order, and with noise, that depend on the seed and the epoch alone."""
    rng = np.random.default_rng([recipe.seed, 9, epoch])
    order = rng.permutation(len(train))
    size = min(recipe.training.batch_size, len(train))
    for index in range(_steps(train, recipe)):
        clean = train[order[index * size : (index + 1) * size]]
        noise = rng.normal(0.0, recipe.training.noise, clean.shape).astype(np.float32)
        model.train_on_batch(clean + noise, clean)


def _steps(train: FloatArray, recipe: AnomalyRecipe) -> int:
    """Whole batches: a short last one would be compiled anew."""
    return max(1, len(train) // recipe.training.batch_size)


def _compile(model: keras.Model, steps_per_epoch: int, recipe: AnomalyRecipe) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.training.learning_rate, steps_per_epoch * recipe.training.epochs, alpha=0.01
    )
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
