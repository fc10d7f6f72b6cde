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
        words: str [n], what each item really is where that is finer than its label; None where it is not.
        noises: recordings of background that belong to the items, int16 [samples] each.
        left_out: reason -> how many files of the folder are not used.
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
        """The raw items, or where a task keeps none, their features."""
        is_flat = not self.audio.size or self.audio.min() == self.audio.max()
        return self.features if is_flat else self.audio
