"""Layers with fake quantisation: they round as int8 will, with a straight-through gradient.

B. Jacob et al., arXiv:1712.05877, section 3: weights symmetric and narrow (-127 to 127), per output channel
where the converter does so; activations with ranges from moving averages.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_MOMENTUM = 0.98


class RangedActivation(keras.layers.Layer):  # type: ignore[misc]
    """Rounds to 256 levels between two values that follow the smallest and largest of each batch.

    Args:
        name: of the layer.
        about: name of the range.
        limits: its first values.

    Attributes:
        stands: 1 when the range no longer follows.
    """

    def __init__(self, name: str, about: str, limits: tuple[float, float]) -> None:
        super().__init__(name=name)
        self.about = about
        # A range without width has no scale; the converter would not take it either.
        low, high = min(limits[0], 0.0), max(limits[1], 1e-6)
        self.low = self.add_weight(shape=(), initializer=keras.initializers.Constant(low), trainable=False)
        self.high = self.add_weight(shape=(), initializer=keras.initializers.Constant(high), trainable=False)
        self.stands = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        """Rounded x; in training the range follows x."""
        if training:
            low, high = tf.minimum(tf.reduce_min(x), 0.0), tf.maximum(tf.reduce_max(x), 1e-6)
            share = (1 - _MOMENTUM) * (1 - tf.convert_to_tensor(self.stands))
            self.low.assign(self.low + (low - self.low) * share)
            self.high.assign(self.high + (high - self.high) * share)
        return tf.quantization.fake_quant_with_min_max_vars(
            x, tf.convert_to_tensor(self.low), tf.convert_to_tensor(self.high), num_bits=8
        )

    @property
    def limits(self) -> tuple[float, float]:
        """The range now."""
        return float(self.low), float(self.high)


class SameRange(keras.layers.Layer):  # type: ignore[misc]
    """Rounds to the levels of another activation, as pooling in int8 does."""

    def __init__(self, name: str, of: RangedActivation) -> None:
        super().__init__(name=name)
        self._of = of

    def call(self, x: Any) -> Any:
        """Rounded x."""
        return tf.quantization.fake_quant_with_min_max_vars(
            x, tf.convert_to_tensor(self._of.low), tf.convert_to_tensor(self._of.high), num_bits=8
        )


def rounded_kernel(kernel: Any, per_channel: bool, depthwise: bool) -> Any:
    """The kernel on the int8 grid that the converter will choose for it: the largest weight becomes 127."""
    kernel = tf.convert_to_tensor(kernel)
    shape = tf.shape(kernel)
    flat = (
        tf.reshape(kernel, (-1, shape[-2] * shape[-1])) if depthwise else tf.reshape(kernel, (-1, shape[-1]))
    )
    if not per_channel:
        largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel)), 1e-9))
        return tf.quantization.fake_quant_with_min_max_vars(kernel, -largest, largest, 8, narrow_range=True)
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(flat), axis=0), 1e-9))
    rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        flat, -largest, largest, 8, narrow_range=True
    )
    return tf.reshape(rounded, shape)


class _RoundsItsKernel:
    """Mixed into a Keras layer: its kernel is rounded wherever the layer computes with it."""

    per_channel = True
    rounds = False

    def call(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        """As the layer's own, with the rounded kernel."""
        self.rounds = True
        try:
            return super().call(inputs, *arguments, **options)  # type: ignore[misc]
        finally:
            self.rounds = False

    @property
    def kernel(self) -> Any:
        """The weights; rounded inside `call`."""
        whole = super().kernel  # type: ignore[misc]
        return rounded_kernel(whole, self.per_channel, depthwise=False) if self.rounds else whole


class RoundedConv2D(_RoundsItsKernel, keras.layers.Conv2D):  # type: ignore[misc]
    """Conv2D with rounded weights."""


class RoundedConv1D(_RoundsItsKernel, keras.layers.Conv1D):  # type: ignore[misc]
    """Conv1D with rounded weights."""


class RoundedDepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """DepthwiseConv2D with rounded weights; Keras gives it a plain attribute for a kernel."""

    per_channel = True

    def call(self, inputs: Any) -> Any:
        """As the layer's own, with the rounded kernel."""
        kernel = rounded_kernel(self.kernel, self.per_channel, depthwise=True)
        x = keras.ops.depthwise_conv(
            inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )
        return self.activation(x + self.bias if self.use_bias else x)


class RoundedDense(_RoundsItsKernel, keras.layers.Dense):  # type: ignore[misc]
    """Dense with rounded weights: one scale for all."""

    per_channel = False


ROUNDED: dict[type, Any] = {
    keras.layers.Conv2D: RoundedConv2D,
    keras.layers.Conv1D: RoundedConv1D,
    keras.layers.DepthwiseConv2D: RoundedDepthwiseConv2D,
    keras.layers.Dense: RoundedDense,
}


def rounded_layer(layer: Any, per_channel: bool) -> Any:
    """A layer of the same configuration that rounds its kernel; other layers are copied."""
    kind = ROUNDED.get(type(layer))
    if kind is None:
        return type(layer).from_config(layer.get_config())
    made = kind.from_config(layer.get_config())
    if kind is not RoundedDense:
        made.per_channel = per_channel
    return made
