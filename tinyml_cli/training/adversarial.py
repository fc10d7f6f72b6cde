"""Training on attacked inputs, half of each batch.

A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, on the inputs of
the network: an attack on what the sensor gives would be more honest, and about twenty times as dear.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tinyml_cli.console import COMPILING, console
from tinyml_cli.training.determinism import make_deterministic
from tinyml_cli.training.fine_tune import load

RADIUS = 0.06
"""Largest change of a value, of the range of all inputs."""

_STEPS, _STEP = 3, 0.5  # of the radius
_BATCH = 64
_RATE = 3e-4


def harden(
    path: Path, inputs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], epochs: int, seed: int
) -> keras.Model:
    """A trained network, trained further.

    Args:
        path: model.keras.
        inputs: float32 [n, ...], of the training split.
        labels: int64 [n].
        epochs: passes over them.
        seed: fixes everything.
    """
    make_deterministic(seed)
    model = load(path)
    radius = RADIUS * float(inputs.max() - inputs.min())
    batch = min(_BATCH, len(inputs))
    step = _step(model, keras.optimizers.Adam(_RATE), radius)
    steps = len(inputs) // batch
    with console.progress(epochs * steps, "Training on attacks", COMPILING) as bar:
        for epoch in range(epochs):
            order = np.random.default_rng([seed, 32, epoch]).permutation(len(inputs))
            for index in range(steps):
                rows = order[index * batch : (index + 1) * batch]
                loss = float(step(tf.constant(inputs[rows]), tf.constant(labels[rows])))
                bar.advance(1, f"epoch {epoch + 1}/{epochs} loss {loss:.4f}")
    return model


def _step(model: keras.Model, optimizer: Any, radius: float) -> Any:
    variables = model.trainable_variables
    optimizer.build(variables)

    def loss_of(inputs: Any, labels: Any, training: bool) -> Any:
        scores = model(inputs, training=training)
        chosen = tf.gather(scores, labels, axis=1, batch_dims=1)
        return -tf.reduce_mean(tf.math.log(chosen + 1e-6))

    @tf.function  # type: ignore[untyped-decorator]
    def step(inputs: Any, labels: Any) -> Any:
        half = tf.shape(inputs)[0] // 2
        plain, attacked = inputs[:half], inputs[half:]
        change = tf.random.uniform(tf.shape(attacked), -radius, radius)
        for _ in range(_STEPS):
            with tf.GradientTape() as tape:
                tape.watch(change)
                loss = loss_of(attacked + change, labels[half:], False)
            slope = tf.sign(tape.gradient(loss, change))
            change = tf.clip_by_value(change + _STEP * radius * slope, -radius, radius)
        with tf.GradientTape() as tape:
            value = loss_of(tf.concat([plain, attacked + change], axis=0), labels, True)
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    return step
