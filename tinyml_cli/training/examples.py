"""Labelled feature maps for training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# micro_speech's convention: the float model's input is the 16-bit feature divided by this number.
FEATURE_DIVISOR = 25.6


@dataclass(frozen=True)
class Examples:
    """Feature maps and their labels.

    Attributes:
        features: uint16 [examples, frames, channels].
        labels: int64 [examples], index into the run's labels.
        soft: float32 [examples, labels], a teacher's scores for each; rows sum to 1.
    """

    features: NDArray[np.uint16]
    labels: NDArray[np.int64]
    soft: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, epoch: int) -> Examples:
        """The same examples in every epoch."""
        del epoch
        return self


class ExampleSource(Protocol):
    """Examples that may differ from epoch to epoch."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels of the examples of one epoch; their frequencies are the same in all epochs."""

    def __len__(self) -> int:
        """Number of examples per epoch."""

    def at(self, epoch: int) -> Examples:
        """The examples of an epoch, the same on every call; valid until the next call."""


def to_float(features: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Model input float32 [examples, frames, channels, 1]."""
    return (features[..., None] / np.float32(FEATURE_DIVISOR)).astype(np.float32)
