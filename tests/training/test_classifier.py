"""The trainer of images and gestures: a training that was stopped ends as an unbroken one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

keras = pytest.importorskip("keras")
classifier = pytest.importorskip("tinyml_cli.training.classifier")

TRAINING = SimpleNamespace(epochs=3, learning_rate=0.01, weight_decay=1e-4, label_smoothing=0.0, ema=0.9)


class Points:
    """Points around two centres; stops in an epoch if told to."""

    def __init__(self, stop_in: int | None) -> None:
        self._stop_in = stop_in

    def __len__(self) -> int:
        return 2

    def epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        rng = np.random.default_rng(epoch)
        for batch in range(2):
            if epoch == self._stop_in and batch == 1:
                raise KeyboardInterrupt
            labels = rng.integers(0, 2, 16)
            inputs = rng.normal(labels[:, None] - 0.5, 1, (16, 8)).astype(np.float32)
            yield inputs, np.eye(2, dtype=np.float32)[labels], np.ones(16, np.float32)


def build() -> keras.Model:
    source = keras.Input((8,))
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(8, activation="relu")(source))
    return keras.Model(source, keras.layers.Dense(2, activation="softmax", name="scores")(x))


def fit(logs: Path, stop_in: int | None = None, resume: bool = False) -> list[np.ndarray]:
    held = np.random.default_rng(7).normal(size=(10, 8)).astype(np.float32)
    validation = classifier.Validation(lambda model: model.predict(held, verbose=0), np.arange(10) % 2)
    start = classifier.Start(build, seed=1)
    fitted = classifier.fit_classifier(start, Points(stop_in), validation, TRAINING, logs, "print", resume)
    weights: list[np.ndarray] = fitted.model.get_weights()
    return weights


def test_a_network_with_dropout_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    unbroken = fit(tmp_path / "unbroken")
    for epoch in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / "stopped", stop_in=epoch, resume=epoch > 1)
    for expected, found in zip(unbroken, fit(tmp_path / "stopped", resume=True), strict=True):
        np.testing.assert_array_equal(found, expected)
