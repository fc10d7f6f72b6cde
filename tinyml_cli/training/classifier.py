"""Fits a classifier to batches of any kind: first a new classifier layer, then all layers; resumable."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinyml_cli.console import COMPILING, console
from tinyml_cli.console import Progress as Bar
from tinyml_cli.training.average import Average, twin_of
from tinyml_cli.training.checkpoint import Checkpoint, Progress, Resume
from tinyml_cli.training.fit import build_state, make_deterministic, seed_dropout
from tinyml_cli.training.judging import MEASURES, judge

_WARM_UP_SHARE = 0.05
_FINAL_SHARE = 0.01
_CLASSIFIER = "scores"

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Score = Callable[[keras.Model], NDArray[np.float32]]


class Batches(Protocol):
    """The training data, epoch by epoch."""

    def __len__(self) -> int:
        """Number of batches per epoch."""

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """(inputs, targets [n, labels], weights [n]), which depend only on seed and epoch."""


class Optimisation(Protocol):
    """A recipe's section `training`."""

    @property
    def epochs(self) -> int: ...
    @property
    def learning_rate(self) -> float:
        """The peak of one cosine."""

    @property
    def weight_decay(self) -> float: ...
    @property
    def label_smoothing(self) -> float: ...
    @property
    def ema(self) -> float:
        """Decay of the moving average of the weights; 0 keeps the weights themselves."""


@dataclass(frozen=True)
class Validation:
    """The validation data.

    Attributes:
        score: returns a model's scores for the examples, float32 [n, labels].
        labels: int64 [n], the true ones.
    """

    score: Score
    labels: NDArray[np.int64]

    def judge(self, model: keras.Model) -> dict[str, float]:
        """As `judging.judge`."""
        return judge(self.score(model), self.labels)


@dataclass(frozen=True)
class Start:
    """The start of a training.

    Attributes:
        build: makes the model; its new classifier layer, if it has one, is named `scores`.
        is_transfer: whether the rest of it was trained before.
        frozen_epochs: epochs in which only the new classifier layer is trained.
        seed: of all random choices.
    """

    build: Callable[[], keras.Model]
    seed: int
    is_transfer: bool = False
    frozen_epochs: int = 0


@dataclass(frozen=True)
class Fitted:
    """The outcome of a training.

    Attributes:
        model: the moving average of the weights after the last epoch.
        epochs: completed.
        validation_accuracy, validation_loss: on held-out examples.
        history: the measures of each epoch, see `checkpoint.Progress`.
        judged: the result of `judge` for the model.
    """

    model: keras.Model
    epochs: int
    validation_accuracy: float
    validation_loss: float
    history: list[dict[str, float]]
    judged: Mapping[str, float]


def fit_classifier(
    start: Start,
    batches: Batches,
    validation: Validation,
    training: Optimisation,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
) -> Fitted:
    """Trains until the last epoch.

    Args:
        start: the initial model.
        batches: training examples.
        validation: validation examples.
        training: epochs and rates.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.

    Raises:
        TinymlError: there is no checkpoint to resume from, or it is damaged or belongs to another training.
    """
    make_deterministic(start.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress, is_resumed = checkpoint.begin(fingerprint, training.epochs, resume)
    if not is_resumed:
        model = start.build()
        twin = twin_of(model) if training.ema > 0 else None
    else:
        model = checkpoint.load_last(progress)
        twin = checkpoint.load_average(progress) if training.ema > 0 else None
    fit = _Fit(model, twin, start, batches, validation, training, checkpoint, progress, logs)
    if resume is not Resume.AS_IT_IS:
        fit.run()
    kept = model if twin is None else twin
    return Fitted(
        kept, progress.epochs_done, progress.accuracy, progress.loss, progress.history, progress.judged
    )


class _Fit:
    """A training in progress: the model, and the moving average of its weights."""

    def __init__(
        self,
        model: keras.Model,
        twin: keras.Model | None,
        start: Start,
        batches: Batches,
        validation: Validation,
        training: Optimisation,
        checkpoint: Checkpoint,
        progress: Progress,
        logs: Path,
    ) -> None:
        self._model = model
        self._twin = twin
        self._average = None if twin is None else Average(model, twin, training.ema)
        self._batches = batches
        self._validation = validation
        self._training = training
        self._checkpoint = checkpoint
        self._progress = progress
        self._scalars = tf.summary.create_file_writer(str(logs / "tensorboard"))
        self._is_transfer = start.is_transfer
        self._frozen_epochs = min(start.frozen_epochs, training.epochs) if start.is_transfer else 0

    def run(self) -> None:
        """Runs the remaining epochs."""
        progress, epochs = self._progress, self._training.epochs
        if progress.epochs_done == epochs:
            self._judge_only()
            return
        if not self._model.compiled:
            self._prepare()
        else:
            build_state(self._model)
        note = ""
        with console.progress(
            (epochs - progress.epochs_done) * len(self._batches), "Training", COMPILING
        ) as bar:
            while progress.epochs_done < epochs:
                if progress.epochs_done == self._frozen_epochs > 0:
                    self._prepare()
                trained = self._epoch(progress.epochs_done, bar, note)
                note = self._epoch_ended(trained)

    def _prepare(self) -> None:
        """Compiles for the next phase: everything, or only the new classifier layer, is trainable."""
        frozen = self._progress.epochs_done < self._frozen_epochs
        for layer in self._model.layers:
            # Batch statistics of a few images would spoil the backbone's, from millions of images.
            is_statistics = isinstance(layer, keras.layers.BatchNormalization) and self._is_transfer
            layer.trainable = not is_statistics and (not frozen or layer.name == _CLASSIFIER)
        training = self._training
        self._model.compile(
            # AdamW: arXiv:1711.05101.
            optimizer=keras.optimizers.AdamW(training.learning_rate, weight_decay=training.weight_decay),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
            weighted_metrics=["accuracy"],
        )
        build_state(self._model)

    def _epoch(self, epoch: int, bar: Bar, note: str) -> dict[str, float]:
        """One pass over the training images; their mean loss and accuracy."""
        totals: dict[str, float] = {}
        seed_dropout(self._model, epoch)
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
        """One cosine per phase, after a short warm-up (arXiv:1608.03983)."""
        frozen = self._frozen_epochs * len(self._batches)
        total = self._training.epochs * len(self._batches) - frozen
        if step < frozen:
            total = frozen
        else:
            step -= frozen
        peak, rise = self._training.learning_rate, max(1, int(total * _WARM_UP_SHARE))
        if step < rise:
            return peak * (step + 1) / rise
        share = (step - rise) / max(1, total - rise)
        return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share)))

    def _epoch_ended(self, trained: dict[str, float]) -> str:
        """Evaluates the moving average of the weights, saves it, and reports progress."""
        judged = self._validation.judge(self._twin or self._model)
        progress = self._progress
        progress.ended(trained, judged)
        self._checkpoint.save(self._model, self._twin, progress)
        with self._scalars.as_default(step=progress.epochs_done):
            for split, measures in (("train", trained), ("validation", judged)):
                for name in MEASURES:
                    tf.summary.scalar(f"{split}/{name}", measures[name])
        self._scalars.flush()
        return (
            f"epoch {progress.epochs_done}/{self._training.epochs} loss {trained['loss']:.3f} "
            f"validation accuracy {judged['accuracy']:.3f}"
        )

    def _judge_only(self) -> None:
        judged = self._validation.judge(self._model)
        self._progress.loss, self._progress.accuracy = judged["loss"], judged["accuracy"]
        self._progress.judged = judged
