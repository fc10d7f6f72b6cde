"""logs/validation.npz: features of the validation split, for a run to choose thresholds without its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.files import write_arrays
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run

VALIDATION = "logs/validation.npz"
MOST_PER_LABEL = 200


@dataclass(frozen=True)
class ValidationItems:
    """Items that watched the training and never trained.

    Attributes:
        features: integers [n, ...], what the firmware computes from the items.
        labels: int64 [n].
        sources: str [n], whom or what each comes from; "" for nobody.
    """

    features: NDArray[Any]
    labels: NDArray[np.int64]
    sources: NDArray[np.str_]


def chosen_rows(labels: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """At most MOST_PER_LABEL rows of each label, drawn by the seed, in rising order."""
    shuffled = np.random.default_rng([seed, 20]).permutation(len(labels))
    rows = [shuffled[labels[shuffled] == label][:MOST_PER_LABEL] for label in np.unique(labels)]
    return np.sort(np.concatenate(rows)) if rows else np.empty(0, np.int64)


def save(run: Run, items: ValidationItems) -> None:
    """Keeps them in the run, whose manifest has yet to record the file."""
    write_arrays(run.file(VALIDATION), vars(items))


def load(run: Run, manifest: Manifest) -> ValidationItems | None:
    """None for a run that kept none, as those of an earlier tinyml.

    Raises:
        TinymlError: the file is missing or changed.
    """
    if VALIDATION not in manifest.artifacts:
        return None
    with np.load(run.require(manifest, VALIDATION)) as archive:
        return ValidationItems(**{name: archive[name] for name in ("features", "labels", "sources")})
