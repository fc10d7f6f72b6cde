"""Enters into the manifest what `tinyml drift` compares logs with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.evaluation.drift.columns import reference_of
from tinyml_cli.evaluation.drift.looks import Values
from tinyml_cli.run import Run


def keep_reference(
    run: Run,
    note: str,
    outputs: NDArray[np.int8],
    inputs: NDArray[np.int8],
    values_of: Callable[[NDArray[np.int8], NDArray[np.int8]], Values],
) -> None:
    """Summarises an evaluation's scores and inputs.

    Args:
        run: whose manifest keeps them.
        note: what was evaluated.
        outputs: int8 scores [n, labels].
        inputs: int8 inputs of the model [n, ...].
        values_of: names the quantities of both.
    """
    # One label after another, as the set has them, would look like a habit of the world.
    order = np.random.default_rng(0).permutation(len(outputs))
    manifest = run.manifest()
    manifest.reference = reference_of(values_of(outputs[order], inputs[order]), note)
    run.save(manifest)
