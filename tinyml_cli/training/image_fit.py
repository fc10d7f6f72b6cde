"""Fits an image classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.classifier import Start, Validation, fit_classifier
from tinyml_cli.training.image_batches import ImageBatches, ImageSet, to_float
from tinyml_cli.training.trainer import Fitted

_EVALUATION_BATCH = 256


def fit_images(
    build: Callable[[], keras.Model],
    train: ImageSet,
    validation: ImageSet,
    recipe: VwwRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool = False,
) -> Fitted:
    """Trains until the last epoch; see `trainer.train`.

    Args:
        build: makes the initial model; its new classifier layer, if it has one, is named `scores`.
        train: training images.
        validation: validation images.
        recipe: epochs, rates, augmentation and seed.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.
    """
    model = recipe.model
    start = Start(build, recipe.seed, None if model.backbone is None else model.frozen_epochs)
    batches = ImageBatches(train, recipe)
    watched = Validation(lambda model: _score(model, validation, recipe), validation.labels)
    return fit_classifier(start, batches, watched, recipe.training, logs, fingerprint, resume)


def _score(model: keras.Model, examples: ImageSet, recipe: VwwRecipe) -> NDArray[np.float32]:
    """Scores float32 [images, labels]."""
    return np.concatenate(
        [
            model.predict_on_batch(to_float(examples.images(start, start + _EVALUATION_BATCH), recipe.image))
            for start in range(0, len(examples), _EVALUATION_BATCH)
        ]
    )
