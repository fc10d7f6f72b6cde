"""Shared by strokes and raw motion in the task `wand`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.splits import SPLITS, Split, count_labels
from tinyml_cli.errors import TinymlError, did_you_mean

if TYPE_CHECKING:
    from tinyml_cli.recipes.wand import WandRecipe
    from tinyml_cli.run import Run

Item = NDArray[Any]
"""A take as it was recorded: a stroke's points int8 [n, 2], or motion int16 [n, axes]."""


@dataclass(frozen=True)
class LabelledMotions:
    """Labelled motions.

    Attributes:
        items: one array per take.
        labels: int64 [n], index into the recipe's model_labels; 0 is unknown.
        names: str [n], what a take is known by.
        where: str [n], its split.
        split_by: what never lies in two splits.
        origin: "folder" or "synthetic".
        notes: what a reader must know.
        units: of the files of motion; see `series.read.common_units`.
        left_out: reason -> files that were not used.
        found: every label that the files hold.
        people: str [n], who made each, or its file where that does not say; "" for what is generated.
    """

    items: Sequence[Item]
    labels: NDArray[np.int64]
    names: NDArray[np.str_]
    where: NDArray[np.str_]
    split_by: str
    origin: str
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    found: frozenset[str] = frozenset()
    people: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))

    def __post_init__(self) -> None:
        """Takes that were added to those of known people are nobody's."""
        missing = len(self.names) - len(self.people)
        object.__setattr__(self, "people", np.append(self.people, np.full(missing, "", np.str_)))

    def __len__(self) -> int:
        return len(self.items)

    def rows(self, rows: NDArray[np.intp]) -> LabelledMotions:
        """Some of them."""
        return LabelledMotions(
            [self.items[row] for row in rows],
            self.labels[rows],
            self.names[rows],
            self.where[rows],
            self.split_by,
            self.origin,
            self.notes,
            self.units,
            self.left_out,
            self.found,
            self.people[rows],
        )

    def part(self, split: Split) -> LabelledMotions:
        """Those of one split."""
        return self.rows(np.flatnonzero(self.where == split))

    def counts(self, labels: Sequence[str]) -> dict[str, dict[str, int]]:
        """split -> label -> takes."""
        return count_labels(self.where, self.labels, labels)


def need_each_label(takes: LabelledMotions, recipe: WandRecipe, kind: str, fewest: int) -> None:
    """Every gesture of the recipe has to be in every split that is used.

    Args:
        takes: what was recorded.
        recipe: what is wanted.
        kind: what a take is called, for messages.
        fewest: how many of a gesture to advise.

    Raises:
        TinymlError: a gesture that nobody recorded, or of which there are too few.
    """
    where = str(recipe.data_path)
    found = ", ".join(sorted(takes.found - {""})) or "none"
    for index, label in enumerate(recipe.model_labels[1:], start=1):
        if label not in takes.found:
            raise TinymlError(
                f"There is no {kind} of `{label}`",
                where,
                f"{did_you_mean(label, takes.found)}Labels there: {found}. Choose with --labels.",
            )
        for split in SPLITS:
            wanted = split != "test" or recipe.training.test_share > 0
            if wanted and not ((takes.labels == index) & (takes.where == split)).any():
                raise TinymlError(
                    f"There are too few of `{label}`: no {kind} of it is left for {split}",
                    where,
                    f"Record more of it ({fewest} or more), or leave it out of --labels.",
                )


class GestureSource(Protocol):
    """Where motions come from, and how they become what the model takes."""

    network: str
    """The network where the recipe names none."""
    least_threshold: float
    """No gesture counts with a lower score."""

    def shape(self, recipe: WandRecipe) -> tuple[int, ...]:
        """Of one model input."""

    def load(self, recipe: WandRecipe) -> LabelledMotions:
        """The recipe's takes, recorded or generated, unknown ones among them, split."""

    def read(
        self,
        folder: Path,
        recipe: WandRecipe,
        units: Mapping[str, str] | None = None,
        refused: dict[Path, TinymlError] | None = None,
    ) -> LabelledMotions:
        """Every take of a folder; labels that are none of the recipe's count as unknown.

        `units` are those of the training data, for files that do not tell theirs; `refused` collects what is
        wrong with single files, which are then left out.
        """

    def features(self, items: Sequence[Item], recipe: WandRecipe) -> NDArray[Any]:
        """Exactly what the firmware computes from each take, integers [n, ...]."""

    def vary(self, items: Sequence[Item], recipe: WandRecipe, rng: np.random.Generator) -> NDArray[Any]:
        """Features of one random variation of each take."""

    def to_float(self, features: NDArray[Any], recipe: WandRecipe) -> NDArray[np.float32]:
        """What the float model sees."""

    def quantize(
        self, features: NDArray[Any], recipe: WandRecipe, scale: float, zero_point: int
    ) -> NDArray[np.int8]:
        """What the int8 model sees, by the integers of the firmware."""

    def write_replay(self, run: Run, takes: LabelledMotions, per_label: int) -> Path:
        """A folder with held-out motion to feed to a board."""


def name_of(item: Item) -> str:
    """The same take has the same name wherever it lies."""
    return hashlib.sha256(item.tobytes()).hexdigest()[:16]
