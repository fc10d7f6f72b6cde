"""Labelled items to judge a model by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled items to judge a model by.

    Attributes:
        audio: the raw items, for example int16 [n, samples].
        features: what the firmware computes from them, uint16 [n, frames, channels].
        labels: int64 [n], index into the run's labels.
        groups: str [n], who or what each item comes from.
        note: one sentence: where they come from and how they were chosen.
        words: str [n], what each item is where that is more specific than its label; else None.
        noises: recordings of background that belong to the items, int16 [samples] each.
        left_out: reason -> number of files of the folder that are not used.
    """

    audio: NDArray[np.int16]
    features: NDArray[np.uint16]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    note: str
    words: NDArray[np.str_] | None = None
    noises: Sequence[NDArray[np.int16]] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def raw(self) -> NDArray[Any]:
        """The raw items; their features if the task keeps none."""
        is_flat = not self.audio.size or self.audio.min() == self.audio.max()
        return self.features if is_flat else self.audio
