"""Networks that reproduce their input; inputs unlike the training data are reproduced badly."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tinyml_cli.errors import TinymlError

# With the few hundred steps of a small data set the default of 0.99 leaves inference statistics behind.
_MOMENTUM = 0.9
_CONVOLUTION_FILTERS = (16, 24)
_KERNEL = 5


def mlperf_fc(values: int) -> keras.Model:
    """MLPerf Tiny's anomaly detection model: nine dense layers, 128 wide, 8 in the middle.

    C. Banbury et al., "MLPerf Tiny Benchmark", arXiv:2106.07597; after the baseline of DCASE 2020 task 2.

    Args:
        values: features of a window (640 there).

    Returns:
        float32 [batch, values] -> the same shape.
    """
    inputs = keras.Input((values,), name="features")
    x = inputs
    for index, width in enumerate([128] * 4 + [8] + [128] * 4, 1):
        x = layers.Dense(width, use_bias=False, name=f"dense{index}")(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"norm{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
    return keras.Model(inputs, layers.Dense(values, name="reconstruction")(x), name="mlperf_fc")


def small_fc(values: int, hidden: Sequence[int], bottleneck: int) -> keras.Model:
    """Dense layers that narrow down to a linear bottleneck, and widen again.

    Args:
        values: features of a window.
        hidden: widths on the way in, mirrored on the way out.
        bottleneck: width in the middle.

    Returns:
        float32 [batch, values] -> the same shape.
    """
    inputs = keras.Input((values,), name="features")
    x = inputs
    for index, width in enumerate(hidden, 1):
        x = layers.Dense(width, activation="relu", name=f"encoder{index}")(x)
    x = layers.Dense(bottleneck, name="bottleneck")(x)
    for index, width in enumerate(reversed(hidden), 1):
        x = layers.Dense(width, activation="relu", name=f"decoder{index}")(x)
    return keras.Model(inputs, layers.Dense(values, name="reconstruction")(x), name="small_fc")


def conv1d(steps: int, channels: int, bottleneck: int) -> keras.Model:
    """Convolutions along time, a dense bottleneck, and convolutions whose channels become time again.

    The way back is W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
    Sub-Pixel Convolutional Neural Network", CVPR 2016, in one dimension: there it is a mere change of shape.

    Args:
        steps: length of a window; a multiple of 4.
        channels: values of each step.
        bottleneck: width in the middle.

    Returns:
        float32 [batch, steps * channels] -> the same shape.

    Raises:
        TinymlError: steps is no multiple of 4.
    """
    if steps % 4:
        raise TinymlError(
            f"Windows of {steps} steps cannot be halved twice",
            "autoencoder.network=conv1d",
            "Choose a multiple of 4: signal.window_samples, or sound.frames.",
        )
    first, second = _CONVOLUTION_FILTERS
    inputs = keras.Input((steps * channels,), name="features")
    x = layers.Reshape((steps, 1, channels), name="series")(inputs)
    for index, filters in enumerate((first, second), 1):
        x = layers.Conv2D(
            filters, (_KERNEL, 1), strides=(2, 1), padding="same", activation="relu", name=f"encoder{index}"
        )(x)
    x = layers.Dense(bottleneck, name="bottleneck")(layers.Flatten(name="flat")(x))
    x = layers.Dense(steps // 4 * second, activation="relu", name="decoder")(x)
    x = layers.Reshape((steps // 4, 1, second), name="coarse")(x)
    x = layers.Conv2D(2 * first, (_KERNEL, 1), padding="same", activation="relu", name="decoder2")(x)
    x = layers.Reshape((steps // 2, 1, first), name="finer")(x)
    x = layers.Conv2D(2 * channels, (_KERNEL, 1), padding="same", name="decoder1")(x)
    return keras.Model(inputs, layers.Reshape((steps * channels,), name="reconstruction")(x), name="conv1d")
