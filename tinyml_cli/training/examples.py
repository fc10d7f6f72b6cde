"""Labelled feature maps, as training and evaluation take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# micro_speech's convention: what the float model sees is the 16-bit feature over this number.
FEATURE_DIVISOR = 25.6


@dataclass(frozen=True)
class Examples:
    """Feature maps and their labels.

    Attributes:
        features: uint16 [examples, frames, channels].
        labels: int64 [examples], index into the run's labels.
        soft: float32 [examples, labels], what a teacher thinks of each; rows sum to 1.
    """

    features: NDArray[np.uint16]
    labels: NDArray[np.int64]
    soft: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, epoch: int) -> Examples:
        """Themselves in every epoch."""
        del epoch
        return self


class Source(Protocol):
    """Examples that may be others in each epoch."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Of the examples of one epoch; each label is as frequent in all of them."""

    def __len__(self) -> int:
        """Examples of one epoch."""

    def at(self, epoch: int) -> Examples:
        """The examples of an epoch, the same whenever it is asked for; they hold until the next call."""


def to_float(features: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Model input float32 [examples, frames, channels, 1]."""
    return (features[..., None] / np.float32(FEATURE_DIVISOR)).astype(np.float32)
