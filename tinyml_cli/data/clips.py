"""A labelled set of clips with the speaker of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.splits import Split

SILENCE = "silence"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ClipSet:
    """Clips of one length.

    Attributes:
        audio: int16 [clips, samples].
        labels: str [clips], silence, unknown or a target word.
        words: str [clips], what is really said (for "unknown" the other word).
        groups: str [clips], the speaker; all clips of a speaker are in one split.
        weights: float64 [clips], how often training draws each clip, relative to weight 1; None is 1 for all.
    """

    audio: NDArray[np.int16]
    labels: NDArray[np.str_]
    words: NDArray[np.str_]
    groups: NDArray[np.str_]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.audio)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> ClipSet:
        """The clips at `rows` (indices or a mask)."""
        weights = None if self.weights is None else self.weights[rows]
        return ClipSet(self.audio[rows], self.labels[rows], self.words[rows], self.groups[rows], weights)

    def weigh(self) -> NDArray[np.float64]:
        """The weight of each clip, float64 [clips]."""
        return np.ones(len(self)) if self.weights is None else self.weights

    def weighted(self, weight: float | NDArray[np.float64]) -> ClipSet:
        """The same clips with every weight multiplied by `weight`."""
        return replace(self, weights=self.weigh() * weight)

    def counts(self, labels: Sequence[str]) -> dict[str, int]:
        """Clips per label, zeros included."""
        return {label: int((self.labels == label).sum()) for label in labels}


def empty(samples: int) -> ClipSet:
    """A set without clips."""
    nothing = np.empty(0, dtype="<U1")
    return ClipSet(np.empty((0, samples), np.int16), nothing, nothing, nothing)


def join(sets: Sequence[ClipSet]) -> ClipSet:
    """All clips in the order given."""
    return ClipSet(
        np.concatenate([s.audio for s in sets]),
        np.concatenate([s.labels for s in sets]),
        np.concatenate([s.words for s in sets]),
        np.concatenate([s.groups for s in sets]),
        None if all(s.weights is None for s in sets) else np.concatenate([s.weigh() for s in sets]),
    )


@dataclass(frozen=True)
class Corpus:
    """Everything a data source provides.

    Attributes:
        clips: every clip.
        noises: long recordings of background, int16 [samples] each.
        notes: remarks for the manifest.
        left_out: files of the data folder that are not used, and why.
        fixed_splits: groups whose split is settled: those too few to hold out, or an official list's.
        languages: codes of those that synthetic voices speak.
    """

    clips: ClipSet
    noises: tuple[NDArray[np.int16], ...] = ()
    notes: tuple[str, ...] = ()
    fixed_splits: Mapping[str, Split] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    languages: tuple[str, ...] = ()
