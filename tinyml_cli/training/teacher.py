"""Larger models whose scores a smaller one learns (G. Hinton et al., arXiv:1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.training.fit import predict


class Ensemble:
    """The mean of several models' softened scores."""

    def __init__(self, models: Sequence[Path], temperature: float) -> None:
        """Loads the models.

        Args:
            models: .keras files with the same inputs and outputs.
            temperature: scores are raised to 1/temperature and scaled to sum to 1.
        """
        self._models = [keras.saving.load_model(path, compile=False) for path in models]
        self._temperature = temperature

    def score(self, features: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Scores float32 [examples, labels]; rows sum to 1."""
        softened = [
            np.power(np.maximum(predict(model, features), 1e-7), 1 / self._temperature)
            for model in self._models
        ]
        mean = np.mean([s / s.sum(axis=1, keepdims=True) for s in softened], axis=0)
        return np.asarray(mean, np.float32)
