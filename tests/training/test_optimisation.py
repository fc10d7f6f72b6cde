"""The optimiser that traces quickly is Keras's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

import keras

from tinyml_cli.training import optimisation


def _schedule() -> Any:
    return keras.optimizers.schedules.CosineDecay(0.001, 8, alpha=0.01, warmup_target=0.1, warmup_steps=2)


def _trained(optimizer: keras.optimizers.Optimizer) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(2)]
    )
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(1)
    for _ in range(6):
        model.train_on_batch(rng.normal(size=(4, 5)), rng.normal(size=(4, 2)))
    return model


@pytest.mark.parametrize(("rate", "decay"), [(_schedule, 0.05), (lambda: 0.01, None)])
def test_weights_and_state_are_those_of_keras_bit_for_bit(
    rate: Callable[[], Any], decay: float | None
) -> None:
    theirs = keras.optimizers.Adam(rate()) if decay is None else keras.optimizers.AdamW(rate(), decay)
    expected, found = _trained(theirs), _trained(optimisation.adam(rate(), decay))
    for a, b in zip(expected.get_weights(), found.get_weights(), strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(expected.optimizer.variables, found.optimizer.variables, strict=True):
        assert np.array_equal(a, b)


def test_a_saved_model_names_an_optimiser_that_keras_knows(tmp_path: Path) -> None:
    _trained(optimisation.adam(0.01, 0.05)).save(tmp_path / "model.keras")
    assert type(keras.models.load_model(tmp_path / "model.keras").optimizer) is keras.optimizers.AdamW
