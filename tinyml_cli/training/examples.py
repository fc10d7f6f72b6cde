"""Labelled feature maps, as training and evaluation take them."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    features: NDArray[np.uint16]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def to_float(features: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Model input float32 [examples, frames, channels, 1]."""
    return (features[..., None] / np.float32(FEATURE_DIVISOR)).astype(np.float32)
