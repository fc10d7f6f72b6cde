"""A labelled set of clips that knows who spoke each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE = "silence"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ClipSet:
    """Clips of one length.

    Attributes:
        audio: int16 [clips, samples].
        labels: str [clips], a name out of silence, unknown and the target words.
        words: str [clips], what is really said (for "unknown" the other word).
        groups: str [clips], the speaker; clips of one speaker never part.
    """

    audio: NDArray[np.int16]
    labels: NDArray[np.str_]
    words: NDArray[np.str_]
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.audio)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> ClipSet:
        """The clips at `rows` (indices or a mask)."""
        return ClipSet(self.audio[rows], self.labels[rows], self.words[rows], self.groups[rows])

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
    )


@dataclass(frozen=True)
class Corpus:
    """All that a source of data gives.

    Attributes:
        clips: every clip.
        noises: long recordings of background, int16 [samples] each.
        notes: remarks that belong into the manifest.
        fixed_training: groups too few to hold out, always trained on.
    """

    clips: ClipSet
    noises: tuple[NDArray[np.int16], ...] = ()
    notes: tuple[str, ...] = ()
    fixed_training: frozenset[str] = frozenset()
