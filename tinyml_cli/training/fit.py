"""Fits a classifier: one cosine over all epochs, resumable, reproducible bit for bit."""

from __future__ import annotations

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
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.average import Average, twin_of
from tinyml_cli.training.balance import balance
from tinyml_cli.training.batches import Batches
from tinyml_cli.training.checkpoint import Checkpoint, Progress, Resume
from tinyml_cli.training.examples import Examples, Source, to_float
from tinyml_cli.training.judging import MEASURES, judge

_WARM_UP_SHARE = 0.05
_EVALUATION_BATCH = 256

Score = Callable[[NDArray[np.uint16]], NDArray[np.float32]]


class Miner(Protocol):
    """Finds the mistakes of a half-trained model, and adds them to the examples of later epochs."""

    @property
    def after_epochs(self) -> int:
        """The number of epochs before the search."""

    def seek(self, score: Score) -> list[int]:
        """The examples to repeat more often, as indices into this training's data."""

    def use(self, found: list[int]) -> None:
        """Uses what was found, in this or in an interrupted training."""


@dataclass(frozen=True)
class Fitted:
    """The outcome of a training.

    Attributes:
        model: the last epoch's weights. Choosing an epoch by the few speakers of a small data set
            costs accuracy on others: at the end of the cosine, the last epochs differ only by chance.
        epochs: epochs completed.
        validation_accuracy: accuracy on held-out speakers.
        validation_loss: cross-entropy there.
        history: the measures of each epoch, see `checkpoint.Progress`.
        judged: the result of `judge` for the model.
    """

    model: keras.Model
    epochs: int
    validation_accuracy: float
    validation_loss: float
    history: list[dict[str, float]]
    judged: Mapping[str, float]


def make_deterministic(seed: int) -> None:
    """Makes TensorFlow deterministic on one machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def seed_dropout(model: keras.Model, epoch: int) -> None:
    """Gives every dropout layer the same state in an epoch, resumed or not: Keras does not save it."""
    for number, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            layer.seed_generator.state.assign([number, epoch])


def build_state(model: keras.Model) -> None:
    """Makes the variables of a compiled model's optimizer and measures.

    TensorFlow traces a first step that has to make them twice, which takes seconds.
    """
    model.optimizer.build(model.trainable_variables)
    blank = np.zeros((1, *model.output_shape[1:]), np.float32)
    model.compute_metrics(None, blank, blank)
    model.reset_metrics()


def fit(
    build: Callable[[], keras.Model],
    train: Source,
    validation: Examples,
    recipe: KwsRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
    miner: Miner | None = None,
) -> Fitted:
    """Trains until the last epoch.

    Args:
        build: makes the untrained model.
        train: training examples.
        validation: validation examples, of other speakers.
        recipe: epochs, rates and seed.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.
        miner: finds hard examples halfway through the training; None finds none.

    Raises:
        TinymlError: there is no checkpoint to resume from, or it is damaged or belongs to another training.
    """
    make_deterministic(recipe.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress, is_resumed = checkpoint.begin(fingerprint, recipe.training.epochs, resume)
    batches = Batches(train, build().output_shape[-1], recipe)
    if not is_resumed:
        make_deterministic(recipe.seed)
        model = build()
        _compile(model, len(batches), recipe)
        twin = twin_of(model) if recipe.training.weight_average else None
    else:
        model = checkpoint.load_last(progress)
        twin = checkpoint.load_average(progress) if recipe.training.weight_average else None
    learner = _Learner(model, twin, batches, recipe)
    if miner is not None and progress.found is not None:
        miner.use(progress.found)
    _run(learner, validation, miner, _Log(logs, checkpoint, progress), progress.last_epoch(resume))
    model = checkpoint.load_average(progress) if twin is not None else checkpoint.load_last(progress)
    judged: Mapping[str, float] = progress.judged
    accuracy, loss = progress.accuracy, progress.loss
    if recipe.training.balance_scores:
        shares = batches.shares()
        # Silence is easily distinguished from speech; a higher weight for being rare would lose quiet words.
        shares[recipe.labels.index(SILENCE)] = shares[recipe.labels.index(UNKNOWN)]
        balance(model, shares)
        judged = judge(predict(model, validation.features), validation.labels)
        accuracy, loss = judged["accuracy"], judged["loss"]
    return Fitted(model, progress.epochs_done, accuracy, loss, progress.history, judged)


def _run(learner: _Learner, validation: Examples, miner: Miner | None, log: _Log, epochs: int) -> None:
    """Runs the remaining epochs."""
    progress = log.progress
    with console.progress(
        (epochs - progress.epochs_done) * len(learner.batches), "Training", COMPILING
    ) as bar:
        while progress.epochs_done < epochs:
            losses = _epoch(learner, progress.epochs_done, bar, log.note)
            done = progress.epochs_done + 1
            if miner is not None and progress.found is None and done == miner.after_epochs:
                progress.found = miner.seek(learner.score)
                miner.use(progress.found)
            judged = judge(learner.score(validation.features), validation.labels)
            log.epoch_ended(learner, losses, judged)


def _epoch(learner: _Learner, epoch: int, bar: Bar, note: str) -> dict[str, float]:
    """One pass over the training examples; their mean loss and accuracy."""
    totals: dict[str, float] = {}
    for measures in learner.epoch(epoch):
        for name, value in measures.items():
            totals[name] = totals.get(name, 0.0) + value
        bar.advance(1, note)
    return {name: total / len(learner.batches) for name, total in totals.items()}


class _Learner:
    """A model in training, and the average of its weights that is saved instead."""

    def __init__(
        self, model: keras.Model, twin: keras.Model | None, batches: Batches, recipe: KwsRecipe
    ) -> None:
        self.model = model
        self.twin = twin
        self.batches = batches
        decay = recipe.training.weight_average
        self._average = None if twin is None else Average(model, twin, decay)
        build_state(model)

    def epoch(self, epoch: int) -> Iterator[dict[str, float]]:
        """Trains on each batch of an epoch; returns loss and accuracy of each."""
        seed_dropout(self.model, epoch)
        for index, batch in enumerate(self.batches.epoch(epoch)):
            measures = self.model.train_on_batch(
                batch.features, batch.targets, sample_weight=batch.weights, return_dict=True
            )
            if self._average is not None:
                self._average.step(epoch * len(self.batches) + index)
            yield {name: float(value) for name, value in measures.items()}

    def score(self, features: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Scores of the saved model, float32 [examples, labels]."""
        return predict(self.twin or self.model, features)


def predict(model: keras.Model, features: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Scores float32 [examples, labels] of feature maps uint16 [examples, frames, channels]."""
    parts = [
        model.predict_on_batch(to_float(features[start : start + _EVALUATION_BATCH]))
        for start in range(0, len(features), _EVALUATION_BATCH)
    ]
    return np.concatenate(parts)


def _compile(model: keras.Model, steps_per_epoch: int, recipe: KwsRecipe) -> None:
    """Adam with decoupled weight decay and one cosine (arXiv:1711.05101, arXiv:1608.03983)."""
    training = recipe.training
    steps = steps_per_epoch * training.epochs
    warm_up = max(1, int(steps * _WARM_UP_SHARE))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=training.learning_rate / 20,
        decay_steps=max(1, steps - warm_up),
        warmup_target=training.learning_rate,
        warmup_steps=warm_up,
        alpha=0.01,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=["accuracy"],
    )


class _Log:
    """Saves the checkpoint, writes TensorBoard scalars."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, progress: Progress) -> None:
        self.progress = progress
        self.note = ""
        self._checkpoint = checkpoint
        self._scalars = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def epoch_ended(self, learner: _Learner, trained: dict[str, float], judged: dict[str, float]) -> None:
        """Records one epoch.

        Args:
            learner: its present state.
            trained: loss and accuracy on the training examples.
            judged: loss and accuracy on the validation examples.
        """
        progress = self.progress
        progress.ended(trained, judged)
        self._checkpoint.save(learner.model, learner.twin, progress)
        with self._scalars.as_default(step=progress.epochs_done):
            for split, measures in (("train", trained), ("validation", judged)):
                for name in MEASURES:
                    tf.summary.scalar(f"{split}/{name}", measures[name])
        self._scalars.flush()
        self.note = (
            f"epoch {progress.epochs_done}/{progress.epochs} loss {trained['loss']:.3f} "
            f"validation accuracy {judged['accuracy']:.3f}"
        )
