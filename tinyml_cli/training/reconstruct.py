"""Fits an autoencoder to normal windows: noise on the input, one cosine over all epochs, resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import COMPILING, console
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.training.checkpoint import Checkpoint, Progress, Resume
from tinyml_cli.training.fit import build_state, make_deterministic

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Reconstruction:
    """The outcome of a training.

    Attributes:
        model: the last epoch's weights.
        epochs: epochs completed.
        loss: mean squared error on held-out normal windows, in squared standard deviations.
        history: the measures of the evaluated epochs, see `checkpoint.Progress`.
    """

    model: keras.Model
    epochs: int
    loss: float
    history: list[dict[str, float]]


def fit(
    build: Callable[[], keras.Model],
    train: FloatArray,
    validation: FloatArray,
    recipe: AnomalyRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
) -> Reconstruction:
    """Trains until the last epoch.

    Args:
        build: makes the untrained model.
        train: float32 [windows, values], normal.
        validation: the same from other sessions, for validation.
        recipe: epochs, rates, noise and seed.
        logs: folder for the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.

    Raises:
        TinymlError: there is no checkpoint to resume from, or it is damaged or belongs to another training.
    """
    make_deterministic(recipe.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress, is_resumed = checkpoint.begin(fingerprint, recipe.training.epochs, resume)
    if not is_resumed:
        model = build()
        _compile(model, _steps(train, recipe), recipe)
    else:
        model = checkpoint.load_last(progress)
    if resume is not Resume.AS_IT_IS:
        _run(model, train, validation, recipe, checkpoint, progress)
    kept = checkpoint.load_last(progress)
    return Reconstruction(kept, progress.epochs_done, progress.loss, progress.history)


def _run(
    model: keras.Model,
    train: FloatArray,
    validation: FloatArray,
    recipe: AnomalyRecipe,
    checkpoint: Checkpoint,
    progress: Progress,
) -> None:
    """Runs the remaining epochs."""
    epochs = recipe.training.epochs
    saved_every = max(1, epochs // 20)
    build_state(model)
    with console.progress(epochs - progress.epochs_done, "Training", COMPILING) as bar:
        for epoch in range(progress.epochs_done, epochs):
            loss = _epoch(model, train, recipe, epoch)
            if (epoch + 1) % saved_every == 0 or epoch + 1 == epochs:
                judged = float(np.mean((model.predict_on_batch(validation) - validation) ** 2))
                progress.ended({"loss": loss}, {"loss": judged})
                progress.epochs_done = epoch + 1
                checkpoint.save(model, None, progress)
            bar.advance(1, f"validation loss {progress.loss:.4f}")


def _epoch(model: keras.Model, train: FloatArray, recipe: AnomalyRecipe, epoch: int) -> float:
    """One pass, with order and noise that depend only on seed and epoch; returns its mean loss."""
    rng = np.random.default_rng([recipe.seed, 9, epoch])
    order = rng.permutation(len(train))
    size = min(recipe.training.batch_size, len(train))
    total, steps = 0.0, _steps(train, recipe)
    for index in range(steps):
        clean = train[order[index * size : (index + 1) * size]]
        noise = rng.normal(0.0, recipe.training.noise, clean.shape).astype(np.float32)
        total += float(model.train_on_batch(clean + noise, clean))
    return total / steps


def _steps(train: FloatArray, recipe: AnomalyRecipe) -> int:
    """Whole batches only: a smaller last one would need another compilation."""
    return max(1, len(train) // recipe.training.batch_size)


def _compile(model: keras.Model, steps_per_epoch: int, recipe: AnomalyRecipe) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.training.learning_rate, steps_per_epoch * recipe.training.epochs, alpha=0.01
    )
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
