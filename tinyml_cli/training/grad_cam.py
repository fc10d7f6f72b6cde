"""Where in an image a network found what it answers.

R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
ICCV 2017, equations 1 and 2: maps of the last convolution, weighted by the mean gradient of the class score
before the softmax, summed, and what is negative cut off.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.models.keras_file import load_keras

_MAP_AXES = 4


def grad_cam(path: Path, inputs: NDArray[np.float32], label: int) -> tuple[NDArray[np.float64], str]:
    """The heat of one image.

    Args:
        path: the trained model, .keras.
        inputs: float32 [1, rows, columns, channels].
        label: output whose reasons are sought.

    Returns:
        float64 [rows, columns] of the last layer with a map, from 0 to 1 at its hottest place, and its name.

    Raises:
        TinymlError: no layer has a map.
    """
    model = load_keras(path)
    maps = [layer for layer in model.layers if _has_map(layer)]
    if not maps:
        raise TinymlError(
            "No layer of the network has a map of the image", str(path), "Use a network with convolutions."
        )
    last = model.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    both = keras.Model(model.inputs, [maps[-1].output, model.outputs[0]])
    with tf.GradientTape() as tape:
        seen, scores = both(tf.constant(inputs), training=False)
        tape.watch(seen)
        score = scores[:, label]
    weights = tf.reduce_mean(tape.gradient(score, seen), axis=(1, 2), keepdims=True)
    heat = np.asarray(tf.nn.relu(tf.reduce_sum(weights * seen, axis=-1))[0], np.float64)
    return heat / max(float(heat.max()), 1e-12), str(maps[-1].name)


def _has_map(layer: Any) -> bool:
    shape = tuple(getattr(layer.output, "shape", ()))
    is_map = len(shape) == _MAP_AXES and int(np.prod(shape[1:3])) > 1
    return is_map and not isinstance(layer, keras.layers.InputLayer)
