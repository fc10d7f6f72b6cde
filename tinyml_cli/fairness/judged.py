"""What thresholds are chosen for: items with the score that a board compares with its threshold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

RIGHT, WRONG_LABEL, FALSE_ACCEPT = range(3)
"""What accepting an item would be."""
NEVER = -1
"""The level of an item that no threshold accepts, such as one whose best label is `unknown`."""

Strings = NDArray[np.str_]


@dataclass(frozen=True)
class Thresholds:
    """The thresholds that a board can have, from the loosest to the strictest.

    Attributes:
        scores: int64 [levels], rising; an item is accepted from this integer score on.
        values: float64 [levels], the same as the manifest has them.
        current: index of the level that the manifest has now.
        unit: what `values` are: "score", or the unit of an anomaly score.
    """

    scores: NDArray[np.int64]
    values: NDArray[np.float64]
    current: int
    unit: str = "score"

    def __len__(self) -> int:
        return len(self.scores)

    def levels_of(self, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        """The strictest level that still accepts each score int64 [n]; NEVER where none does."""
        found: NDArray[np.int64] = np.searchsorted(self.scores, scores, "right") - 1
        return found


@dataclass(frozen=True)
class JudgedItems:
    """Items and the int8 model's answers to them.

    Attributes:
        levels: int64 [n], the strictest threshold that accepts each, as an index; NEVER where none does.
        outcomes: int64 [n], what accepting it is: RIGHT, WRONG_LABEL or FALSE_ACCEPT.
        truth: str [n], the true label.
        answers: str [n], what an accepted item is reported as.
        sources: str [n], whom or what each comes from; "" for nobody.
        known: attribute -> str [n], groups that the run itself knows; "" for none.
    """

    levels: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    truth: Strings
    answers: Strings
    sources: Strings
    known: Mapping[str, Strings] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.levels)

    def rows(self, rows: NDArray[Any]) -> JudgedItems:
        """Some of them: indices, or bool [n]."""
        return replace(
            self,
            levels=self.levels[rows],
            outcomes=self.outcomes[rows],
            truth=self.truth[rows],
            answers=self.answers[rows],
            sources=self.sources[rows],
            known={name: groups[rows] for name, groups in self.known.items()},
        )


def half(sources: Strings, kinds: Strings) -> NDArray[np.bool_]:
    """bool [n]: every second source, kind by kind, in an order that depends on their names alone.

    No source lies in both halves, but for items of nobody, each of which stands for itself.

    Args:
        sources: str [n].
        kinds: str [n], a source counts as that of its first item.
    """
    owners = np.array([name or f"\0{row}" for row, name in enumerate(sources)])
    names, first = np.unique(owners, return_index=True)
    places = zip(map(str, kinds[first]), map(str, names), strict=True)
    ordered = sorted(places, key=lambda place: (place[0], _position(place[1])))
    chosen = {name for _, name in ordered[::2]}
    return np.array([str(owner) in chosen for owner in owners], bool)


def _position(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
