"""Fits a classifier of spoken words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.balance import balance
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.clip_batches import ClipBatches
from tinyml_cli.training.examples import Examples, ExampleSource, to_float
from tinyml_cli.training.judging import judge
from tinyml_cli.training.optimisation import one_cosine
from tinyml_cli.training.trainer import Chooser, Fitted, Miner, TrainingPlan, train

_EVALUATION_BATCH = 256


def fit(
    build: Callable[[], keras.Model],
    source: ExampleSource,
    validation: Examples,
    recipe: KwsRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
    miner: Miner | None = None,
    balanced: ExampleSource | None = None,
    chooser: Chooser | None = None,
) -> Fitted:
    """Trains until the last epoch; see `trainer.train`.

    Args:
        build: makes the untrained model.
        source: training examples.
        validation: validation examples, of other speakers.
        recipe: epochs, rates and seed.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.
        miner: finds hard examples halfway through the training; None finds none.
        balanced: the examples whose labels' frequencies `balance_scores` takes back; None for all.
        chooser: says which epoch to keep; None keeps the last.
    """

    def judged(model: keras.Model) -> dict[str, Any]:
        return judge(predict(model, validation.features), validation.labels)

    training = recipe.training
    batches = ClipBatches(source, recipe)
    plan = TrainingPlan(
        build,
        batches,
        judged,
        one_cosine(training, len(batches) * training.epochs),
        training.epochs,
        recipe.seed,
        training.weight_average,
        miner=miner,
        chooser=chooser,
    )
    fitted = train(plan, logs, fingerprint, resume)
    if not training.balance_scores:
        return fitted
    shares = (batches if balanced is None else ClipBatches(balanced, recipe)).shares()
    # Silence is easily distinguished from speech; a higher weight for being rare would lose quiet words.
    shares[recipe.model_labels.index(SILENCE)] = shares[recipe.model_labels.index(UNKNOWN)]
    balance(fitted.model, shares)
    return replace(fitted, judged=judged(fitted.model))


def predict(model: keras.Model, features: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Scores float32 [examples, labels] of feature maps uint16 [examples, frames, channels]."""
    parts = [
        model.predict_on_batch(to_float(features[start : start + _EVALUATION_BATCH]))
        for start in range(0, len(features), _EVALUATION_BATCH)
    ]
    return np.concatenate(parts)
