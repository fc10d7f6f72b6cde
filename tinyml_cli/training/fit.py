"""Fits a classifier: one cosine to its end, SpecAugment, resumable, repeatable bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinyml_cli.console import Progress as Bar
from tinyml_cli.console import console
from tinyml_cli.data.augment import mask_features
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.checkpoint import Checkpoint, Progress
from tinyml_cli.training.examples import Examples, to_float

_WARM_UP_SHARE = 0.05
_WEIGHT_DECAY = 1e-4
_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Fitted:
    """The outcome of a training.

    Attributes:
        model: the last epoch's weights. Choosing an epoch by the few speakers of a small data set
            costs accuracy on others: at the end of the cosine the last epochs differ by chance alone.
        epochs: epochs completed.
        validation_accuracy: accuracy on speakers that were not trained on, mean over labels.
        validation_loss: cross-entropy there.
        interrupted: Ctrl-C ended the training early.
    """

    model: keras.Model
    epochs: int
    validation_accuracy: float
    validation_loss: float
    interrupted: bool


def make_deterministic(seed: int) -> None:
    """Makes TensorFlow compute the same numbers every time on one machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    build: Callable[[], keras.Model],
    train: Examples,
    validation: Examples,
    recipe: KwsRecipe,
    logs: Path,
    fingerprint: str,
    resume: bool = False,
) -> Fitted:
    """Trains until the last epoch, or until Ctrl-C.

    Args:
        build: makes the untrained model.
        train: examples to learn from.
        validation: examples of other speakers, to watch the training by.
        recipe: epochs, rates and seed.
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
    batches = _Batches(train, build().output_shape[-1], recipe)
    if progress is None:
        checkpoint.clear()
        progress = Progress(fingerprint)
        make_deterministic(recipe.seed)
        model = build()
        _compile(model, len(batches), recipe)
    else:
        console.info(f"Going on after epoch {progress.epochs_done}.")
        model = checkpoint.load_last(progress)
    interrupted = _run(model, batches, validation, recipe, _Log(logs, checkpoint, progress))
    return Fitted(
        model=checkpoint.load_last(progress),
        epochs=progress.epochs_done,
        validation_accuracy=progress.accuracy,
        validation_loss=progress.loss,
        interrupted=interrupted,
    )


def _run(model: keras.Model, batches: _Batches, validation: Examples, recipe: KwsRecipe, log: _Log) -> bool:
    """Runs the epochs that are left; whether Ctrl-C ended them."""
    progress = log.progress
    epochs = recipe.training.epochs
    with console.progress((epochs - progress.epochs_done) * len(batches), "Training") as bar:
        try:
            while progress.epochs_done < epochs:
                losses = _epoch(model, batches, progress.epochs_done, bar, log.note)
                log.epoch_ended(model, losses, _judge(model, validation), epochs)
        except KeyboardInterrupt:
            if progress.epochs_done == 0:
                raise
            console.warn(f"Stopped after epoch {progress.epochs_done}, which is kept. Add --resume to go on.")
            return True
    return False


def _epoch(model: keras.Model, batches: _Batches, epoch: int, bar: Bar, note: str) -> dict[str, float]:
    """One pass over the training examples; their mean loss and accuracy."""
    totals: dict[str, float] = {}
    for features, targets in batches.epoch(epoch):
        for name, value in model.train_on_batch(features, targets, return_dict=True).items():
            totals[name] = totals.get(name, 0.0) + float(value)
        bar.advance(1, note)
    return {name: total / len(batches) for name, total in totals.items()}


def _judge(model: keras.Model, examples: Examples) -> dict[str, float]:
    """Cross-entropy without smoothing, and accuracy; every label weighs the same however rare."""
    scores = np.concatenate(
        [
            model.predict_on_batch(to_float(examples.features[start : start + _EVALUATION_BATCH]))
            for start in range(0, len(examples), _EVALUATION_BATCH)
        ]
    )
    losses = -np.log(np.maximum(scores[np.arange(len(scores)), examples.labels], 1e-7))
    hits = scores.argmax(axis=1) == examples.labels
    per_label = [examples.labels == label for label in np.unique(examples.labels)]
    return {
        "loss": float(np.mean([losses[rows].mean() for rows in per_label])),
        "accuracy": float(np.mean([hits[rows].mean() for rows in per_label])),
    }


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
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=["accuracy"],
    )


def _one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[labels]


class _Batches:
    """Shuffled, masked batches that depend on the seed, the epoch and the batch number alone.

    So a resumed training sees what an uninterrupted one would have seen.
    """

    def __init__(self, examples: Examples, classes: int, recipe: KwsRecipe) -> None:
        self.classes = classes
        self._examples = examples
        self._recipe = recipe
        self._size = recipe.training.batch_size

    def __len__(self) -> int:
        return max(1, len(self._examples) // self._size)

    def epoch(self, epoch: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """The batches of one epoch, all of one size: a short last one would be compiled anew."""
        seed = self._recipe.seed
        masks = self._recipe.augmentation.spec_masks
        order = np.random.default_rng([seed, 7, epoch]).permutation(len(self._examples))
        for index in range(len(self)):
            rows = order[index * self._size : (index + 1) * self._size]
            features = to_float(self._examples.features[rows])
            mask_features(features, np.random.default_rng([seed, 8, epoch, index]), masks, masks)
            yield features, _one_hot(self._examples.labels[rows], self.classes)


class _Log:
    """Saves the checkpoint, writes TensorBoard scalars."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, progress: Progress) -> None:
        self.progress = progress
        self.note = ""
        self._checkpoint = checkpoint
        self._scalars = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def epoch_ended(
        self, model: keras.Model, trained: dict[str, float], judged: dict[str, float], epochs: int
    ) -> None:
        """Records one epoch.

        Args:
            model: as it is now.
            trained: loss and accuracy on the training examples.
            judged: loss and accuracy on the validation examples.
            epochs: epochs planned.
        """
        progress = self.progress
        progress.epochs_done += 1
        progress.loss, progress.accuracy = judged["loss"], judged["accuracy"]
        self._checkpoint.save(model, progress)
        with self._scalars.as_default(step=progress.epochs_done):
            for split, measures in (("train", trained), ("validation", judged)):
                for name, value in measures.items():
                    tf.summary.scalar(f"{split}/{name}", value)
        self._scalars.flush()
        self.note = (
            f"epoch {progress.epochs_done}/{epochs} loss {trained['loss']:.3f} "
            f"validation accuracy {judged['accuracy']:.3f}"
        )
