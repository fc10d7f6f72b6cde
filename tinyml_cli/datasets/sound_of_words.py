"""Clips that do not sound like the others of their word, and words that sound alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# As measured, see docs/data.md. A word is the direction of its clips by other people, if there are so many.
_FROM_OTHERS = 10
_FEWEST, _FEWEST_TO_COMPARE = 5, 10
_UNLIKE, _RATHER = 0.1, 0.3
_MIXED_SHARE = 1 / 3
_ALIKE_SHARE = 0.1

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class UnlikeClip:
    """A clip unlike its word.

    Attributes:
        row: of the clip.
        own: cosine of its vector with the direction of its word.
        other: the word that it is nearest to, empty where it is like none.
        nearest: the cosine with that word.
    """

    row: int
    own: float
    other: str
    nearest: float


@dataclass(frozen=True)
class SoundOfWords:
    """What the vectors of a folder say.

    Attributes:
        unlike: clips that do not sound like their word, the worst first.
        mixed: word -> (clips that do not, all of them), where they are too many to be exceptions.
        alike: (word, other, clips of either that are nearer to the other, clips of both), the worst first.
    """

    unlike: Sequence[UnlikeClip] = ()
    mixed: Sequence[tuple[str, int, int]] = ()
    alike: Sequence[tuple[str, str, int, int]] = ()


def compare(vectors: Vectors, words: Sequence[str], speakers: Sequence[str]) -> SoundOfWords:
    """Judges every clip by the clips of other people.

    Args:
        vectors: unit vectors [clips, values].
        words: the label of each.
        speakers: who says each.
    """
    names, counts = np.unique(np.array(words, dtype=object).astype(str), return_counts=True)
    names = names[counts >= _FEWEST]
    rows = np.flatnonzero(np.isin(words, names))
    if not len(rows):
        return SoundOfWords()
    labels = np.searchsorted(names, np.array(words)[rows])
    likeness = _likeness(vectors[rows], labels, np.unique(np.array(speakers)[rows], return_inverse=True)[1])
    own = likeness[np.arange(len(rows)), labels]
    others = likeness.copy()
    others[np.arange(len(rows)), labels] = -np.inf
    nearest = others.max(axis=1) if len(names) > 1 else np.full(len(rows), -1.0)
    rather = nearest - own > _RATHER
    unlike = rather | (own < _UNLIKE)
    counts = np.bincount(labels)
    share = np.bincount(labels, unlike) / counts
    mixed = (share > _MIXED_SHARE) & (counts >= _FEWEST_TO_COMPARE)
    found = []
    for row in np.flatnonzero(unlike & ~mixed[labels]):
        other = str(names[others[row].argmax()]) if rather[row] else ""
        found.append(UnlikeClip(int(rows[row]), float(own[row]), other, float(nearest[row])))
    return SoundOfWords(
        sorted(found, key=lambda clip: clip.own - clip.nearest),
        [(str(names[k]), round(share[k] * counts[k]), int(counts[k])) for k in np.flatnonzero(mixed)],
        _alike(likeness, labels, names, ~mixed & (counts >= _FEWEST_TO_COMPARE)),
    )


def _likeness(vectors: Vectors, labels: NDArray[np.intp], people: NDArray[np.intp]) -> NDArray[np.float64]:
    """Cosine of each clip with each word [clips, words].

    The clips of the same person do not count, or a person with one mistake throughout would prove it right.
    Where too few others say the word, only the clip itself does not count.
    """
    count = int(labels.max()) + 1
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    sizes = np.bincount(labels)
    found = np.empty((len(vectors), count))
    for person in np.unique(people):
        own = np.flatnonzero(people == person)
        theirs = np.zeros_like(sums)
        np.add.at(theirs, labels[own], vectors[own])
        enough = sizes - np.bincount(labels[own], minlength=count) >= _FROM_OTHERS
        found[own] = vectors[own] @ _directions(sums - theirs * enough[:, None]).T
        for row in own[~enough[labels[own]]]:
            found[row, labels[row]] = _directions(sums[labels[row]] - vectors[row]) @ vectors[row]
    return found


def _directions(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = sums / np.maximum(np.linalg.norm(sums, axis=-1, keepdims=True), 1e-9)
    return unit


def _alike(
    likeness: NDArray[np.float64],
    labels: NDArray[np.intp],
    names: NDArray[np.str_],
    judged: NDArray[np.bool_],
) -> list[tuple[str, str, int, int]]:
    counts = np.bincount(labels)
    own = likeness[np.arange(len(labels)), labels]
    nearer = np.zeros((len(names), len(names)), int)
    np.add.at(nearer, labels, likeness > own[:, None])
    pairs = []
    for one, other in itertools.combinations(np.flatnonzero(judged), 2):
        wrong, total = nearer[one, other] + nearer[other, one], counts[one] + counts[other]
        pairs.append((str(names[one]), str(names[other]), int(wrong), int(total)))
    alike = [pair for pair in pairs if pair[2] / pair[3] > _ALIKE_SHARE]
    return sorted(alike, key=lambda pair: -pair[2] / pair[3])
