"""One item as a model takes it, as people see it, and what the layers make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.pages.augmented import Look
from tinyml_cli.tflite.layers import LayerOutput


@dataclass(frozen=True)
class ModelInput:
    """An item: a clip, an image, a stroke, a window.

    Attributes:
        values: what the float model takes, float32 [1, ...].
        shown: an image uint8 [size, size, channels], features [frames, channels], or samples [n, axes].
        look: which of them.
    """

    values: NDArray[np.float32]
    shown: NDArray[Any]
    look: Look


@dataclass(frozen=True)
class Seen:
    """Everything that is drawn.

    Attributes:
        item: as the model takes it.
        layers: outputs in execution order.
        filters: of the first convolution, float32 [filters, rows, columns, channels]; None without one.
        heat: Grad-CAM, float64 [rows, columns] from 0 to 1; None where there is none.
        answer: label -> output of the float model; empty without labels.
    """

    item: ModelInput
    layers: Sequence[LayerOutput]
    filters: NDArray[Any] | None
    heat: NDArray[np.float64] | None
    answer: dict[str, float]
