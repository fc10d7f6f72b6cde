"""Trains a network of any task: one loop, resumable after each epoch, reproducible bit for bit.

A task gives the parts: the model, its batches, its measures and its optimisation. Whatever must survive an
interruption is saved and restored here, so that no task can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from tinyml_cli.console import COMPILING, console
from tinyml_cli.console import ProgressBar as Bar
from tinyml_cli.tracking import seam
from tinyml_cli.training.average import Average, twin_of
from tinyml_cli.training.batches import Batches
from tinyml_cli.training.checkpoint import Checkpoint, Resume, TrainingProgress
from tinyml_cli.training.determinism import make_deterministic, seed_layers
from tinyml_cli.training.judging import MEASURES
from tinyml_cli.training.optimisation import Optimisation
from tinyml_cli.training.warm_start import built

_SPLITS = {"train": "", "validation": "validation_"}

Judge = Callable[[keras.Model], dict[str, Any]]


class Miner(Protocol):
    """Finds the mistakes of a half-trained model, and adds them to the examples of later epochs."""

    @property
    def after_epochs(self) -> int:
        """The number of epochs before the search."""

    def seek(self, model: keras.Model) -> list[int]:
        """The examples to repeat more often, as indices into this training's data."""

    def use(self, found: list[int]) -> None:
        """Uses what was found, in this or in an interrupted training."""


class Chooser(Protocol):
    """Says which of the last epochs to keep; without one, it is the last."""

    @property
    def from_epoch(self) -> int:
        """The first epoch to judge, counted from 1."""

    def score(self, model: keras.Model) -> float:
        """How good a model is. The highest score is kept, of equals the latest."""


@dataclass(frozen=True)
class TrainingPlan:
    """The parts of a training.

    Attributes:
        build: makes the untrained model.
        batches: training examples.
        judge: a model's measures on the validation examples; at least `loss`.
        optimisation: optimiser and learning rates.
        epochs: of the whole training; 0 keeps the model as it is built.
        seed: of all random choices.
        weight_average: decay of the moving average of the weights, which is judged and kept in their place; 0
            keeps the weights themselves.
        miner: finds hard examples partway through the training; None finds none.
        chooser: says which epoch to keep; None keeps the last.
    """

    build: Callable[[], keras.Model]
    batches: Batches
    judge: Judge
    optimisation: Optimisation
    epochs: int
    seed: int
    weight_average: float = 0.0
    miner: Miner | None = None
    chooser: Chooser | None = None


@dataclass(frozen=True)
class Fitted:
    """The outcome of a training.

    Attributes:
        model: after the last epoch, or the one that a chooser preferred; or the moving average of its
            weights. Choosing an epoch by the few speakers of a small data set costs accuracy on others: at
            the end of the cosine, the last epochs differ only by chance.
        epochs: completed.
        judged: the model's measures on the validation examples.
        history: the measures of each epoch, see `checkpoint.TrainingProgress`.
    """

    model: keras.Model
    epochs: int
    judged: Mapping[str, Any]
    history: list[dict[str, float]]

    @property
    def validation_accuracy(self) -> float:
        """Share of the validation examples that a classifier gets right."""
        return float(self.judged["accuracy"])

    @property
    def validation_loss(self) -> float:
        """On the validation examples."""
        return float(self.judged["loss"])


def train(plan: TrainingPlan, logs: Path, fingerprint: str, resume: Resume | bool = False) -> Fitted:
    """Trains until the last epoch.

    Args:
        plan: what to train.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.

    Raises:
        TinymlError: there is no checkpoint to resume from, or it is damaged or belongs to another training.
    """
    make_deterministic(plan.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress, is_resumed = checkpoint.begin(fingerprint, plan.epochs, resume)
    model = built(plan.build)
    if is_resumed:
        phase = max(filter(plan.optimisation.begins_phase, range(progress.epochs_done)))
        _prepare(plan, model, phase)
        checkpoint.load_last(progress, model)
    twin = twin_of(model) if plan.weight_average else None
    if twin is not None and is_resumed:
        checkpoint.load_average(progress, twin)
    if plan.miner is not None and progress.found is not None:
        plan.miner.use(progress.found)
    seam.epochs_before([scalars_of(epoch) for epoch in progress.history])
    if progress.epochs_done < progress.last_epoch(resume):
        _Training(plan, model, twin, progress, EpochLog(logs, checkpoint)).run()
    kept = model if twin is None else twin
    if progress.best_epoch:
        checkpoint.load_best(progress, kept)
        console.info(f"Kept epoch {progress.best_epoch} of {progress.epochs_done}.")
        return Fitted(kept, progress.epochs_done, progress.best_judged, progress.history)
    # There is no record of a model without epochs, nor in checkpoints of older versions.
    judged = progress.judged or plan.judge(kept)
    return Fitted(kept, progress.epochs_done, judged, progress.history)


class _Training:
    """A training in progress: the model, and the moving average of its weights."""

    def __init__(
        self,
        plan: TrainingPlan,
        model: keras.Model,
        twin: keras.Model | None,
        progress: TrainingProgress,
        log: EpochLog,
    ) -> None:
        self._plan = plan
        self._model = model
        self._twin = twin
        self._average = None if twin is None else Average(model, twin, plan.weight_average)
        self._progress = progress
        self._log = log

    def run(self) -> None:
        """Runs the remaining epochs."""
        plan, progress = self._plan, self._progress
        steps = (plan.epochs - progress.epochs_done) * len(plan.batches)
        with console.progress(steps, "Training", COMPILING) as bar:
            for epoch in range(progress.epochs_done, plan.epochs):
                if plan.optimisation.begins_phase(epoch):
                    _prepare(plan, self._model, epoch)
                trained = self._epoch(epoch, bar)
                kept = self._model if self._twin is None else self._twin
                self._mine(kept, epoch + 1)
                progress.ended(trained, plan.judge(kept))
                if plan.chooser is not None and progress.epochs_done >= plan.chooser.from_epoch:
                    progress.scored(plan.chooser.score(kept))
                self._log.ended(progress, self._save)

    def _save(self, checkpoint: Checkpoint) -> None:
        checkpoint.save(self._model, self._twin, self._progress)

    def _epoch(self, epoch: int, bar: Bar) -> dict[str, float]:
        """One pass over the training examples; its mean measures."""
        totals: dict[str, float] = {}
        batches = self._plan.batches
        seed_layers(self._model, epoch)
        for index, batch in enumerate(batches.epoch(epoch)):
            step = epoch * len(batches) + index
            rate = self._plan.optimisation.rate(step)
            if rate is not None:
                self._model.optimizer.learning_rate = rate
            measures = self._model.train_on_batch(
                batch.inputs, batch.targets, sample_weight=batch.weights, return_dict=True
            )
            if self._average is not None:
                self._average.step(step)
            for name, value in measures.items():
                totals[name] = totals.get(name, 0.0) + float(value)
            bar.advance(1, self._log.note)
        return {name: total / len(batches) for name, total in totals.items()}

    def _mine(self, kept: keras.Model, epochs_done: int) -> None:
        miner = self._plan.miner
        if miner is not None and self._progress.found is None and epochs_done == miner.after_epochs:
            self._progress.found = miner.seek(kept)
            miner.use(self._progress.found)


class EpochLog:
    """Saves the checkpoint, writes TensorBoard's scalars and the progress bar's note."""

    def __init__(self, folder: Path, checkpoint: Checkpoint) -> None:
        self.note = ""
        self._checkpoint = checkpoint
        self._scalars = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def ended(self, progress: TrainingProgress, save: Callable[[Checkpoint], None]) -> None:
        """Records the epoch that `progress` has just counted; `save` keeps what the next one needs."""
        done = progress.epochs_done
        measures = scalars_of(progress.history[-1])
        # First: an epoch that is told twice, of a training that is killed in between, is none that is lost.
        seam.epoch(done, measures)
        save(self._checkpoint)
        with self._scalars.as_default(step=done):
            for name, value in measures.items():
                tf.summary.scalar(name, value)
        self._scalars.flush()
        name = "accuracy" if "accuracy" in progress.judged else "loss"
        self.note = (
            f"epoch {done}/{progress.epochs} loss {measures['train/loss']:.3f} "
            f"validation {name} {progress.judged[name]:.3f}"
        )


def scalars_of(epoch: Mapping[str, float]) -> dict[str, float]:
    """The measures of an epoch by the names of TensorBoard's pictures, such as validation/loss."""
    keys = [(f"{split}/{name}", prefix + name) for name in MEASURES for split, prefix in _SPLITS.items()]
    return {name: epoch[key] for name, key in keys if key in epoch}


def _prepare(plan: TrainingPlan, model: keras.Model, epoch: int) -> None:
    """Compiles for the phase that an epoch begins, and makes the variables of the optimizer and measures.

    TensorFlow traces a first step that has to make them twice, which takes seconds.
    """
    plan.optimisation.prepare(model, epoch)
    model.optimizer.build(model.trainable_variables)
    blank = np.zeros((1, *model.output_shape[1:]), np.float32)
    model.compute_metrics(None, blank, blank)
    model.reset_metrics()
