"""A network's weights as the vector that travels between clients and server."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_LEAST_VARIANCE = 1e-6


class Wire:
    """The order of a network's values in a vector, and the units in which changes of them are sent.

    The means and variances of batch normalisation are no weights: they follow the scale of their inputs, so a
    norm over all values would be theirs alone, and noise could make a variance negative. Hence variances
    travel as logarithms, and changes of means in standard deviations of the global model, which all know.

    Attributes:
        sizes: values of each tensor, in order.
    """

    def __init__(self, model: keras.Model) -> None:
        self._shapes = [tuple(weight.shape) for weight in model.weights]
        self.sizes = [int(np.prod(shape)) for shape in self._shapes]
        starts = np.cumsum([0, *self.sizes])
        place = {id(weight): slice(*starts[at : at + 2]) for at, weight in enumerate(model.weights)}
        norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self._statistics = [(place[id(each.moving_mean)], place[id(each.moving_variance)]) for each in norms]

    def read(self, model: keras.Model) -> Vector:
        """The model's values, float64 [values]."""
        values: Vector = np.concatenate([np.ravel(each) for each in model.get_weights()]).astype(np.float64)
        for _, variance in self._statistics:
            values[variance] = np.log(np.maximum(values[variance], _LEAST_VARIANCE))
        return values

    def write(self, model: keras.Model, values: Vector) -> None:
        """Gives the model these values."""
        values = values.copy()
        for _, variance in self._statistics:
            values[variance] = np.exp(np.clip(values[variance], -30, 30))
        parts = np.split(values.astype(np.float32), np.cumsum(self.sizes)[:-1])
        model.set_weights([part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)])

    def unit(self, reference: Vector) -> Vector:
        """The unit of each value's change from `reference`, float64 [values]."""
        units = np.ones_like(reference)
        for mean, variance in self._statistics:
            units[mean] = np.exp(0.5 * np.clip(reference[variance], -30, 30))
        return units

    def update_bytes(self, bits: int) -> int:
        """What a client sends of a round: its values, and with 8 bits a scale for each tensor."""
        values = sum(self.sizes)
        return values + 4 * len(self.sizes) if bits == 8 else 4 * values

    @property
    def model_bytes(self) -> int:
        """What a client receives for a round: the global model in float32."""
        return 4 * sum(self.sizes)


def in_8_bits(update: Vector, sizes: list[int], rng: np.random.Generator) -> Vector:
    """An update as it arrives: int8 with a scale for each tensor, rounded at random, so right on average.

    D. Alistarh et al., "QSGD", arXiv:1610.02132.
    """
    parts = []
    for part in np.split(update, np.cumsum(sizes)[:-1]):
        scale = np.float32(np.abs(part).max(initial=0.0) / 127)
        if scale == 0:
            parts.append(np.zeros_like(part))
            continue
        whole = np.clip(np.floor(part / scale + rng.random(part.shape)), -127, 127).astype(np.int8)
        parts.append(whole.astype(np.float64) * scale)
    return np.concatenate(parts)
