"""The reference of `tinyml drift` that an evaluation leaves in the manifest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.drift.columns import reference_of
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.features.drift_settings import Reference


def shuffled_reference(
    note: str,
    outputs: NDArray[np.int8],
    inputs: NDArray[np.int8],
    values_of: Callable[[NDArray[np.int8], NDArray[np.int8]], Values],
) -> Reference:
    """Summarises the scores and inputs of an evaluation.

    Args:
        note: what was evaluated.
        outputs: int8 scores [n, labels].
        inputs: int8 inputs of the model [n, ...].
        values_of: names the quantities of both.
    """
    # Sorted by label, as in the set, the values would look correlated in time.
    order = np.random.default_rng(0).permutation(len(outputs))
    return reference_of(values_of(outputs[order], inputs[order]), note)
