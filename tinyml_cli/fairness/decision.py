"""A run's decision: its thresholds, the items that choose among them, and those that are reported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness.judged import JudgedItems, Thresholds
from tinyml_cli.fairness.membership import Membership, from_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.pages.items import Items


@dataclass(frozen=True)
class Example:
    """An item as the page shows it.

    Attributes:
        picture, sound: data URIs; empty where there is none.
        style: of the picture, see `pages.report.Shown`.
    """

    picture: str = ""
    sound: str = ""
    style: str = "features"


class Decision(ABC):
    """What `tinyml fairness` and the panel of report.html ask; a task fills in what is its own.

    Attributes:
        thresholds: those that a board can have.
        choosing: items that thresholds are chosen on.
        test: items that figures are reported of.
        used: which items these are, as a sentence.
        items: what they are called.
    """

    thresholds: Thresholds
    choosing: JudgedItems
    test: JudgedItems
    used: str
    items: Items
    on_the_board: str = ""
    """What a board does with the threshold beyond deciding on single items, as a sentence."""
    stale: Mapping[str, str] = MappingProxyType({})
    """Entries of the manifest's metrics that hold for one threshold alone -> the command that writes them."""

    @abstractmethod
    def set_threshold(self, manifest: Manifest, level: int) -> None:
        """Writes a threshold where the task keeps it."""

    @abstractmethod
    def example(self, row: int) -> Example:
        """A test item to look at or to hear."""

    @abstractmethod
    def inputs(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """What the model gets of test items, [rows, ...], to find neighbours by."""

    def groups_of(
        self, tables: Mapping[str, Mapping[str, str]], file: Path, strict: bool = True
    ) -> list[Membership]:
        """The groups that a user's file names; see `membership.from_file`."""
        return from_file(
            tables,
            str(file),
            self.choosing,
            self.test,
            self.items.many,
            lambda name: self.source_key(name, file.parent),
            strict,
        )

    def source_key(self, name: str, folder: Path) -> str:
        """What `JudgedItems.sources` calls a source that a file in `folder` names."""
        return name
