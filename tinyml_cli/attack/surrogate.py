"""Differentiable stand-ins for what the board computes in integers, and the gradient through them.

Forward, the board's own integers count; backward, the stand-in's slope: the straight-through estimator of
Y. Bengio et al., arXiv:1308.3432, as an attack in A. Athalye et al., "Obfuscated Gradients Give a False Sense
of Security", ICML 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinyml_cli.attack.surface import AttackSurface, FloatArray, IntArray
from tinyml_cli.features import raster
from tinyml_cli.features.audio_frontend import FEATURE_UNITS_PER_FLOAT
from tinyml_cli.features.numpy_frontend import PCAN_OUTPUT_BITS, filter_matrix
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import SNR_BITS, WEIGHT_BITS, WINDOW_BITS, build_tables
from tinyml_cli.models.keras_file import load_keras

StandIn = Callable[[Any], Any]

_ITEMS_AT_ONCE = 8
_DOTS = 3  # between two points of a stroke
_PEN = 0.4  # pixels


class Exact:
    """The gradient of a run's float model by the items, with the features that the board computes."""

    def __init__(self, model: Path, surface: AttackSurface, toward: bool) -> None:
        """Loads the network.

        Args:
            model: model.keras.
            surface: gives the features, and their stand-in.
            toward: whether the label is wanted, else unwanted.
        """
        self._surface = surface
        network, has_logits = without_softmax(load_keras(model))
        stand_in, sign = surface.stand_in(), 1.0 if toward else -1.0

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def step(items: Any, exact: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(items)
                soft = stand_in(items)
                looks = soft + tf.stop_gradient(tf.reshape(exact, tf.shape(soft)) - soft)
                flat = tf.reshape(looks, tf.concat([[-1], tf.shape(looks)[2:]], 0))
                outputs = network(tf.ensure_shape(flat, [None, *network.inputs[0].shape[1:]]), training=False)
                logits = outputs if has_logits else tf.math.log(outputs + 1e-6)
                logits = tf.reshape(logits, [tf.shape(looks)[0], tf.shape(looks)[1], -1])
                losses = tf.reduce_mean(_softplus_of_odds(logits, labels, sign), axis=1)
            return losses, tape.gradient(losses, items)

        self._step = step

    def __call__(self, values: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray]:
        """Losses float64 [n] and their gradient [n, ...]."""
        found = []
        for start in range(0, len(values), _ITEMS_AT_ONCE):
            rows = slice(start, start + _ITEMS_AT_ONCE)
            exact = self._surface.inputs(self._surface.to_items(values[rows]))
            floats = tf.constant(values[rows], tf.float32)
            found.append([part.numpy() for part in self._step(floats, tf.constant(exact), labels[rows])])
        losses, slopes = (np.concatenate(parts).astype(np.float64) for parts in zip(*found, strict=True))
        return losses, slopes


def without_softmax(model: keras.Model) -> tuple[keras.Model, bool]:
    """The network up to its logits, which do not saturate, and whether it ends in a softmax."""
    last = model.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
        return model, True
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs, last.input), True
    return model, False


def _softplus_of_odds(logits: Any, labels: Any, sign: float) -> Any:
    """-log p(label) where it is wanted, -log(1 - p(label)) where not; [n, looks]."""
    mask = tf.one_hot(labels, tf.shape(logits)[-1])[:, None]
    own = tf.reduce_sum(logits * mask, axis=-1)
    others = tf.reduce_logsumexp(logits - 1e9 * mask, axis=-1)
    return tf.nn.softplus(sign * (others - own))


def sound(
    settings: AudioFrontendSettings,
    before: NDArray[np.int16],
    after: NDArray[np.int16],
    starts: Sequence[int],
    frames: int,
) -> StandIn:
    """The audio front end: float32 [n, samples] -> [n, looks, frames, channels, 1].

    Spectrum, filter bank, noise reduction, gain control and logarithm in floating point. The noise estimate,
    a first-order low pass, is a product with a triangular matrix.

    Args:
        settings: of the front end.
        before, after: what is heard around the item.
        starts: the first frame of each look, from the start of `before`.
        frames: of a look.
    """
    tables = build_tables(settings)
    total = starts[-1] + frames
    samples = (total - 1) * settings.stride_samples + settings.window_samples
    window = tf.constant(tables.window / (1 << WINDOW_BITS), tf.float32)
    triangles = tf.constant(filter_matrix(tables).T / (1 << WEIGHT_BITS), tf.float32)
    low_pass = tf.constant(_low_pass(settings, total), tf.float32)
    level = 2.0**settings.correction_bits
    rows = tf.constant(np.asarray(starts)[:, None] + np.arange(frames))

    def features(items: Any) -> Any:
        n = tf.shape(items)[0]
        around = [tf.repeat(tf.constant(part[None], tf.float32), n, axis=0) for part in (before, after)]
        stream = tf.concat([around[0], items, around[1]], axis=1)[:, :samples]
        framed = tf.signal.frame(stream, settings.window_samples, settings.stride_samples) * window
        spectrum = tf.signal.rfft(framed, [settings.fft_size])[..., tables.first_bin : tables.last_bin]
        energy = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        bands = tf.sqrt(tf.matmul(energy, triangles) + 1e-2) / level
        noise = tf.einsum("cts,nsc->ntc", low_pass, bands)
        signal = tf.maximum(bands - noise, settings.min_signal_remaining * bands)
        gain = tf.pow(noise * level + settings.pcan_offset, -settings.pcan_strength)
        gain = tf.minimum(gain * 2.0**settings.pcan_gain_bits, 32767.0)
        ratio = signal * gain / 2.0 ** (tables.snr_shift + SNR_BITS)
        shrunk = tf.where(ratio < 2, tf.square(ratio) / 4, ratio - 1) * 2.0**PCAN_OUTPUT_BITS * level
        # The board's logarithm is 0 up to 1, where nothing could be learned from it.
        logs = tf.math.log1p(shrunk) * (2.0**settings.log_scale_shift / FEATURE_UNITS_PER_FLOAT)
        return tf.gather(logs, rows, axis=1)[..., None]

    return features


def _low_pass(settings: AudioFrontendSettings, frames: int) -> NDArray[np.float64]:
    """float64 [channels, frames, frames]: share (1 - share)^age of every earlier frame."""
    age = np.subtract.outer(np.arange(frames), np.arange(frames))
    even, odd = (
        np.where(age >= 0, share * (1 - share) ** np.maximum(age, 0), 0)
        for share in (settings.even_smoothing, settings.odd_smoothing)
    )
    return np.stack([even if channel % 2 == 0 else odd for channel in range(settings.channels)])


def linear(factor: float | FloatArray, offset: float = 0.0, channel: bool = False) -> StandIn:
    """Pixels and motion: items x factor + offset in one look, with `channel` a last axis of 1."""
    scale = tf.constant(factor, tf.float32)

    def features(items: Any) -> Any:
        real = items * scale + offset
        return (real[..., None] if channel else real)[:, None]

    return features


def strokes(is_turned: bool) -> StandIn:
    """Strokes float32 [n, points, 2] as pictures [n, 1, size, size, 3] by a pen with soft edges."""
    side = float(raster.SIZE - 2 * raster.MARGIN)
    pixels = np.stack(np.meshgrid(np.arange(raster.SIZE), np.arange(raster.SIZE)), -1).reshape(-1, 2) + 0.5
    centres = tf.constant(pixels, tf.float32)

    def features(points: Any) -> Any:
        at = _turned(points) if is_turned else points
        low, high = tf.reduce_min(at, axis=1), tf.reduce_max(at, axis=1)
        extent = tf.maximum(tf.reduce_max(high - low, axis=1), raster.SMALLEST_EXTENT)[:, None, None]
        placed = (at - (low + high)[:, None] / 2) * side / extent * [1.0, -1.0] + raster.SIZE / 2
        shares = tf.constant(np.arange(_DOTS) / _DOTS, tf.float32)[:, None]
        between = placed[:, :-1, None] * (1 - shares) + placed[:, 1:, None] * shares
        dots = tf.reshape(between, [tf.shape(points)[0], -1, 2])
        distance = tf.reduce_sum(tf.square(dots[:, :, None] - centres), axis=-1)
        ink = tf.exp(-distance / (2 * _PEN**2))
        colours = tf.constant(_colours(int(points.shape[1] - 1) * _DOTS), tf.float32)
        total = tf.reduce_sum(ink, axis=1)[..., None]
        mean = tf.einsum("ndp,dc->npc", ink, colours) / (total + 1e-3)
        picture = mean * (1 - tf.exp(-2 * total))
        return tf.reshape(picture, [-1, 1, raster.SIZE, raster.SIZE, raster.CHANNELS])

    return features


def _turned(points: Any) -> Any:
    """As features.motion.turned: about the mean point until the stroke begins straight above."""
    centred = points - tf.reduce_mean(points, axis=1, keepdims=True)
    up = tf.math.l2_normalize(centred[:, :1], axis=-1, epsilon=1e-6)
    x = centred[..., 0] * up[..., 1] - centred[..., 1] * up[..., 0]
    return tf.stack([x, tf.reduce_sum(centred * up, axis=-1)], axis=-1)


def _colours(dots: int) -> NDArray[np.float64]:
    """Red, green and blue of a stroke's dots, 0 to 1, [dots, 3]."""
    time = np.linspace(0, 2, dots)[:, None]
    colours: NDArray[np.float64] = np.clip(1 - np.abs(time - np.arange(3)), 0, 1)
    return colours
