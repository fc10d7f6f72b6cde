"""What the trainer takes of the examples: batches, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Batch(NamedTuple):
    """The training data of one step.

    Attributes:
        inputs: float32 [examples, ...].
        targets: float32 [examples, ...]; of a classifier [examples, labels], rows sum to 1.
        weights: float32 [examples], of each example's loss; None where all weigh the same.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None


class Batches(Protocol):
    """Training data that depend only on the seed, the epoch and the batch number.

    So a resumed training gets the same batches as an uninterrupted one.
    """

    def __len__(self) -> int:
        """Batches per epoch."""

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, all of one size: another would need another compilation."""
