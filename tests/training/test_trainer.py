"""The trainer of all tasks: a training that is stopped anywhere ends as an unbroken one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

import keras
from keras import layers

from tinyml_cli.models import autoencoders, build_model
from tinyml_cli.recipes.base import ClassifierTraining
from tinyml_cli.training import optimisation
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.judging import judge
from tinyml_cli.training.optimisation import Optimisation, TransferPhases
from tinyml_cli.training.trainer import Chooser, Fitted, TrainingPlan, train

EPOCHS, STEPS, BATCH = 3, 2, 8
TRAINING = ClassifierTraining(epochs=EPOCHS, learning_rate=0.01, weight_average=0.9)


@dataclass
class Drawn:
    """Random inputs, two labels; a stop in the second batch of an epoch if told to."""

    shape: tuple[int, ...]
    reproduces: bool = False
    stop_in: int | None = None

    def __len__(self) -> int:
        return STEPS

    def epoch(self, epoch: int) -> Iterator[Batch]:
        for index in range(STEPS):
            if (epoch, index) == (self.stop_in, 1):
                raise KeyboardInterrupt
            rng = np.random.default_rng([epoch, index])
            inputs = rng.normal(size=(BATCH, *self.shape)).astype(np.float32)
            targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, BATCH)]
            yield (
                Batch(inputs, inputs)
                if self.reproduces
                else Batch(inputs, targets, np.ones(BATCH, np.float32))
            )


@dataclass(frozen=True)
class Kind:
    """A network as one of the tasks trains it."""

    build: Callable[[], keras.Model]
    optimisation: Optimisation
    reproduces: bool = False
    average: float = 0.9


def with_generators() -> keras.Model:
    """Layers that draw random numbers, one of them inside another model."""
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.SpatialDropout2D(0.4), layers.GaussianNoise(0.5)]
    )
    source = keras.Input((6, 6, 2))
    x = inner(layers.RandomFlip()(layers.RandomTranslation(0.3, 0.3)(source)))
    x = layers.AlphaDropout(0.2)(layers.Flatten()(x))
    return keras.Model(source, layers.Dense(2, activation="softmax", name=optimisation.CLASSIFIER)(x))


def network(name: str, shape: tuple[int, int, int], **options: object) -> Callable[[], keras.Model]:
    return lambda: build_model(name, shape, 2, {"dropout": 0.3, **options})


KINDS = {
    "words": Kind(
        network("ds_cnn", (12, 8, 1), stem_filters=4, blocks=[[4, 2]]),
        optimisation.one_cosine(TRAINING, EPOCHS * STEPS),
    ),
    "images": Kind(
        network("vww_micro", (16, 16, 1), stem_filters=4, blocks=[[8, 2]]), TransferPhases(TRAINING, STEPS)
    ),
    "strokes": Kind(
        network("stroke_cnn", (16, 16, 1), filters=[4, 4]), TransferPhases(TRAINING, STEPS), average=0.0
    ),
    "a new classifier first": Kind(with_generators, TransferPhases(TRAINING, STEPS, frozen_epochs=1)),
    "normal windows": Kind(
        lambda: autoencoders.small_fc(12, [8], 4),
        optimisation.squared_error(0.01, EPOCHS * STEPS),
        reproduces=True,
        average=0.0,
    ),
}


class Prefers:
    """Prefers one epoch to all others, and remembers what it was asked."""

    def __init__(self, epoch: int, from_epoch: int = 1) -> None:
        self.from_epoch = from_epoch
        self.weights: list[list[np.ndarray]] = []
        self._epoch = epoch

    def score(self, model: keras.Model) -> float:
        self.weights.append(model.get_weights())
        return float(len(self.weights) + self.from_epoch - 1 == self._epoch)


def fit(
    kind: Kind,
    logs: Path,
    stop_in: int | None = None,
    resume: Resume = Resume.IF_SAVED,
    epochs: int = EPOCHS,
    chooser: Chooser | None = None,
) -> Fitted:
    shape = kind.build().input_shape[1:]
    held = np.random.default_rng(99).normal(size=(10, *shape)).astype(np.float32)

    def measured(model: keras.Model) -> dict[str, float]:
        outputs = model.predict_on_batch(held)
        if kind.reproduces:
            return {"loss": float(np.mean((outputs - held) ** 2))}
        return judge(outputs, np.arange(10) % 2)

    plan = TrainingPlan(
        kind.build,
        Drawn(shape, kind.reproduces, stop_in),
        measured,
        kind.optimisation,
        epochs,
        seed=1,
        weight_average=kind.average,
        chooser=chooser,
    )
    return train(plan, logs, "print", resume)


def same(first: Fitted, second: Fitted) -> bool:
    pairs = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


# The others differ from these in nothing that is resumed.
OFTEN = ("words", "a new classifier first", "normal windows")


def _stops() -> Iterator[Any]:
    """Kinds and the epochs in which they are stopped: in the second of some, slowly in every one of all."""
    for name in OFTEN:
        yield pytest.param(KINDS[name], [1], id=name)
    for name, kind in KINDS.items():
        yield pytest.param(kind, range(EPOCHS), id=f"{name} in every epoch", marks=pytest.mark.nightly)


@pytest.mark.parametrize(("kind", "epochs"), _stops())
def test_stopped_and_resumed_it_ends_as_if_unbroken(
    kind: Kind, epochs: Sequence[int], tmp_path: Path
) -> None:
    unbroken = fit(kind, tmp_path / "unbroken")
    for epoch in epochs:
        with pytest.raises(KeyboardInterrupt):
            fit(kind, tmp_path / "stopped", stop_in=epoch)
    resumed = fit(kind, tmp_path / "stopped")
    assert same(resumed, unbroken)
    assert (resumed.history, resumed.judged) == (unbroken.history, unbroken.judged)
    assert len(unbroken.history) == unbroken.epochs == EPOCHS


@pytest.mark.parametrize("average", [pytest.param(0.0, marks=pytest.mark.slow), 0.9])
def test_the_chosen_epoch_is_kept_also_after_a_stop(average: float, tmp_path: Path) -> None:
    kind = replace(KINDS["words"], average=average)
    chooser = Prefers(2)
    fitted = fit(kind, tmp_path / "unbroken", chooser=chooser)
    assert len(chooser.weights) == EPOCHS
    pairs = list(zip(fitted.model.get_weights(), chooser.weights[1], strict=True))
    assert all(np.array_equal(kept, chosen) for kept, chosen in pairs)
    losses = [measures["validation_loss"] for measures in fitted.history]
    assert fitted.judged["loss"] == losses[1] != losses[2]

    again = Prefers(2)
    with pytest.raises(KeyboardInterrupt):
        fit(kind, tmp_path / "stopped", stop_in=2, chooser=again)
    resumed = fit(kind, tmp_path / "stopped", chooser=again)
    assert same(resumed, fitted)
    assert resumed.judged == fitted.judged
    assert same(fit(kind, tmp_path / "stopped", resume=Resume.AS_IT_IS), fitted)


def test_early_epochs_are_not_judged_and_equals_go_to_the_latest(tmp_path: Path) -> None:
    chooser = Prefers(99, from_epoch=2)
    fitted = fit(KINDS["words"], tmp_path, chooser=chooser)
    assert len(chooser.weights) == EPOCHS - 1
    assert fitted.judged["loss"] == fitted.history[-1]["validation_loss"]


def test_a_complete_training_is_judged_by_the_model_that_is_kept(tmp_path: Path) -> None:
    """Also where an older version kept no measures, or other ones, in its state."""
    kind = KINDS["words"]
    whole = fit(kind, tmp_path)
    state = tmp_path / "checkpoint" / "state.json"
    document = json.loads(state.read_text())
    state.write_text(json.dumps(document | {"judged": {}, "loss": 9.0, "accuracy": 0.5}))
    for resume in (Resume.MUST, Resume.AS_IT_IS):
        again = fit(kind, tmp_path, resume=resume)
        assert same(again, whole)
        found, wanted = (
            {k: v for k, v in each.judged.items() if k != "confusion"} for each in (again, whole)
        )
        assert found == pytest.approx(wanted)
        assert again.judged["confusion"] == whole.judged["confusion"]


def test_a_model_of_no_epochs_is_judged(tmp_path: Path) -> None:
    fitted = fit(KINDS["images"], tmp_path, epochs=0)
    assert (fitted.epochs, fitted.history) == (0, [])
    assert fitted.judged["n"] == 10
