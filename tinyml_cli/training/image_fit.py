"""Fits a classifier of images: first a new classifier alone, then all of it, on one cosine; resumable."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinyml_cli.console import Progress as Bar
from tinyml_cli.console import console
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.training.average import Average, twin_of
from tinyml_cli.training.checkpoint import Checkpoint, Progress
from tinyml_cli.training.fit import make_deterministic
from tinyml_cli.training.image_batches import ImageBatches, ImageSet, to_float
from tinyml_cli.training.judging import judge

_WARM_UP_SHARE = 0.05
_FINAL_SHARE = 0.01
_EVALUATION_BATCH = 256
_CLASSIFIER = "scores"


@dataclass(frozen=True)
class ImageFitted:
    """The outcome of a training.

    Attributes:
        model: the moving average of the weights after the last epoch.
        epochs: completed.
        validation_accuracy, validation_loss: on images that were not trained on, mean over labels.
        interrupted: Ctrl-C ended the training early.
    """

    model: keras.Model
    epochs: int
    validation_accuracy: float
    validation_loss: float
    interrupted: bool


def fit_images(
    build: Callable[[], keras.Model],
    train: ImageSet,
    validation: ImageSet,
    recipe: VwwRecipe,
    logs: Path,
    fingerprint: str,
    resume: bool = False,
) -> ImageFitted:
    """Trains until the last epoch, or until Ctrl-C.

    Args:
        build: makes the model to begin with; its new classifier, if it has one, is its layer `scores`.
        train: images to learn from.
        validation: others, to watch the training by.
        recipe: epochs, rates, augmentation and seed.
        logs: folder for TensorBoard and the checkpoint.
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
        twin = twin_of(model) if recipe.training.ema > 0 else None
    else:
        console.info(f"Going on after epoch {progress.epochs_done}.")
        model = checkpoint.load_last(progress)
        twin = checkpoint.load_average(progress) if recipe.training.ema > 0 else None
    fit = _Fit(model, twin, train, validation, recipe, checkpoint, progress, logs)
    interrupted = fit.run()
    kept = model if twin is None else twin
    if interrupted:  # in the middle of an epoch: its beginning counts
        kept = checkpoint.load_last(progress) if twin is None else checkpoint.load_average(progress)
    return ImageFitted(kept, progress.epochs_done, progress.accuracy, progress.loss, interrupted)


class _Fit:
    """One training under way: a model, and its twin that follows as the moving average."""

    def __init__(
        self,
        model: keras.Model,
        twin: keras.Model | None,
        train: ImageSet,
        validation: ImageSet,
        recipe: VwwRecipe,
        checkpoint: Checkpoint,
        progress: Progress,
        logs: Path,
    ) -> None:
        self._model = model
        self._twin = twin
        self._average = None if twin is None else Average(model, twin, recipe.training.ema)
        self._validation = validation
        self._recipe = recipe
        self._checkpoint = checkpoint
        self._progress = progress
        self._batches = ImageBatches(train, model.output_shape[-1], recipe)
        self._scalars = tf.summary.create_file_writer(str(logs / "tensorboard"))
        self._is_transfer = recipe.model.backbone is not None
        self._frozen_epochs = (
            min(recipe.model.frozen_epochs, recipe.training.epochs) if self._is_transfer else 0
        )

    def run(self) -> bool:
        """Runs the epochs that are left; whether Ctrl-C ended them."""
        progress, epochs = self._progress, self._recipe.training.epochs
        if progress.epochs_done == epochs:
            self._judge_only()
            return False
        if not self._model.compiled:
            self._prepare()
        note = ""
        with console.progress((epochs - progress.epochs_done) * len(self._batches), "Training") as bar:
            try:
                while progress.epochs_done < epochs:
                    if progress.epochs_done == self._frozen_epochs > 0:
                        self._prepare()
                    trained = self._epoch(progress.epochs_done, bar, note)
                    note = self._epoch_ended(trained)
            except KeyboardInterrupt:
                if progress.epochs_done == 0:
                    raise
                console.warn(
                    f"Stopped after epoch {progress.epochs_done}, which is kept. Add --resume to go on."
                )
                return True
        return False

    def _prepare(self) -> None:
        """Compiles for the phase that begins: all is learnt, or the new classifier alone."""
        frozen = self._progress.epochs_done < self._frozen_epochs
        for layer in self._model.layers:
            # Batch statistics of a few images would spoil those of the backbone's millions.
            is_statistics = isinstance(layer, keras.layers.BatchNormalization) and self._is_transfer
            layer.trainable = not is_statistics and (not frozen or layer.name == _CLASSIFIER)
        training = self._recipe.training
        self._model.compile(
            # AdamW: arXiv:1711.05101.
            optimizer=keras.optimizers.AdamW(training.learning_rate, weight_decay=training.weight_decay),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
            weighted_metrics=["accuracy"],
        )

    def _epoch(self, epoch: int, bar: Bar, note: str) -> dict[str, float]:
        """One pass over the training images; their mean loss and accuracy."""
        totals: dict[str, float] = {}
        for index, (inputs, targets, weights) in enumerate(self._batches.epoch(epoch)):
            step = epoch * len(self._batches) + index
            self._model.optimizer.learning_rate = self._rate(step)
            results = self._model.train_on_batch(inputs, targets, sample_weight=weights, return_dict=True)
            if self._average is not None:
                self._average.step(step)
            for name, value in results.items():
                totals[name] = totals.get(name, 0.0) + float(value)
            bar.advance(1, note)
        return {name: total / len(self._batches) for name, total in totals.items()}

    def _rate(self, step: int) -> float:
        """One cosine for each phase, after a short rise (arXiv:1608.03983)."""
        frozen = self._frozen_epochs * len(self._batches)
        total = self._recipe.training.epochs * len(self._batches) - frozen
        if step < frozen:
            total = frozen
        else:
            step -= frozen
        peak, rise = self._recipe.training.learning_rate, max(1, int(total * _WARM_UP_SHARE))
        if step < rise:
            return peak * (step + 1) / rise
        share = (step - rise) / max(1, total - rise)
        return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share)))

    def _epoch_ended(self, trained: dict[str, float]) -> str:
        """Judges the moving average of the weights, saves, and says how it goes."""
        judged = self._judge(self._twin or self._model)
        progress = self._progress
        progress.epochs_done += 1
        progress.loss, progress.accuracy = judged["loss"], judged["accuracy"]
        self._checkpoint.save(self._model, self._twin, progress)
        with self._scalars.as_default(step=progress.epochs_done):
            for split, measures in (("train", trained), ("validation", judged)):
                for name, value in measures.items():
                    tf.summary.scalar(f"{split}/{name}", value)
        self._scalars.flush()
        return (
            f"epoch {progress.epochs_done}/{self._recipe.training.epochs} loss {trained['loss']:.3f} "
            f"validation accuracy {judged['accuracy']:.3f}"
        )

    def _judge_only(self) -> None:
        judged = self._judge(self._model)
        self._progress.loss, self._progress.accuracy = judged["loss"], judged["accuracy"]

    def _judge(self, model: keras.Model) -> dict[str, float]:
        return judge(score(model, self._validation, self._recipe), self._validation.labels)


def score(model: keras.Model, examples: ImageSet, recipe: VwwRecipe) -> NDArray[np.float32]:
    """Scores float32 [images, labels]."""
    return np.concatenate(
        [
            model.predict_on_batch(to_float(examples.images(start, start + _EVALUATION_BATCH), recipe.image))
            for start in range(0, len(examples), _EVALUATION_BATCH)
        ]
    )
